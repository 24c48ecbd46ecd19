import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers with what the Redis says that it asks by its number. */
const WEB = `
const {connect} = process.getBuiltinModule('node:net')
process.getBuiltinModule('node:http').createServer((request, response) => {
  const redis = connect(Number(process.argv[2]), 'localhost', () => redis.write('INFO\\r\\nQUIT\\r\\n'))
  redis.pipe(response)
}).listen(process.env.PORT, '127.0.0.1')
`

t.test('an app that asks a Redis by its number reaches the one of its own copy', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const app = {appID: 'web', appDirPath: '.', autoPort: true, command: ['sh', 'web.sh'], resourcesPath: './resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'web.sh': `exec node web.mjs ${port}\n`,
    'web.mjs': WEB,
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})
  })
  for (const [folder, space] of [
    ['main', ''],
    ['pr', 'pr-']
  ] as const) {
    const {http} = await rig.pillion(['up'], {folder}).ports('web')
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/web/method/info`)
    const [, owner = ''] = /^pillion_space:(pr-|)/m.exec(await answer.text()) ?? []
    t.equal(owner, space, folder)
  }
})
