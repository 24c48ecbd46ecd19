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
  redis.on('error', () => response.end()).pipe(response)
}).listen(process.env.PORT, '127.0.0.1')
`

t.test('an app that asks a Redis by its number reaches the one of its own copy, also if that runs alone', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const app = {appID: 'web', appDirPath: '.', autoPort: true, command: ['sh', 'web.sh'], resourcesPath: './resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'web.sh': `exec node web.mjs ${port}\n`,
    'web.mjs': WEB,
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})
  })
  const ownerSeenBy = async (run: ReturnType<typeof rig.pillion>): Promise<string> => {
    const {http} = await run.ports('web')
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/web/method/info`)
    const text = await answer.text()
    return text.includes('redis_version') ? (/^pillion_space:(pr-|)/m.exec(text)?.[1] ?? '') : 'none'
  }
  const alone = rig.pillion(['up'], {folder: 'pr'})
  t.equal(await ownerSeenBy(alone), 'pr-', 'a copy alone')
  const main = rig.pillion(['up'], {folder: 'main'})
  t.equal(await ownerSeenBy(main), '', 'the copy serves the keys of main')
  await alone.end('SIGINT')
  t.equal(await ownerSeenBy(main), '', 'which serves them itself after that')
  const pr = rig.pillion(['up'], {folder: 'pr'})
  t.equal(await ownerSeenBy(pr), 'pr-')
  await main.end('SIGKILL')
  while ((await ownerSeenBy(pr)) === 'none') t.comment('not yet')
  t.equal(await ownerSeenBy(pr), 'pr-', 'when main was killed')
})
