import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

const WEB = `process.getBuiltinModule('node:http').createServer((request, response) => request.url === '/die' ? process.exit(3) : response.end('ok')).listen(process.env.PORT)`

t.test('an agent that is killed leaves a run that works, and what it left is shown', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const app = {appID: 'web', appDirPath: '.', port, command: ['node', 'web.mjs']}
  await rig.write({
    'pillion.yaml': JSON.stringify({
      version: 1,
      apps: [app, {appID: 'other', appDirPath: '.', command: ['sleep', '600']}]
    }),
    'web.mjs': WEB
  })
  t.match(await rig.run(['ps']), {stdout: 'Nothing is running.\n'})
  t.match(await rig.run(['url', 'web']), {code: 1, stderr: /Nothing is running: "pillion up -d" starts/})

  const up = rig.pillion(['up', '-d'])
  const waiting = rig.pillion(['wait', '--for', 'ready'])
  await rig.until(['ps'], 'web')
  for (const agent of [up, waiting]) agent.signal('SIGKILL')
  t.match(await rig.run(['up', '-d']), {code: 0, stdout: /web +ready/})
  t.match(await fetch(url), {status: 200})

  t.match(await rig.run(['fault', 'any', 'web', '--delay', '60s']), {code: 0})
  const replay = rig.pillion(['replay', '1'])
  await rig.until(['calls'], 'under way')
  await replay.end('SIGKILL')
  t.match(await rig.run(['ps']), {stdout: /fault 1 is on: .*web: 1 min later\. pillion fault --off 1 removes it\n$/})
  t.match(JSON.parse((await rig.run(['ps', '-o', 'json'])).stdout), [
    {id: 'web', faults: 1},
    {id: 'other', faults: 1}
  ])
  t.match(await rig.run(['trace']), {stdout: /fault/})
  t.match(await rig.run(['fault', '--off', '1']), {code: 0})
  t.notMatch((await rig.run(['ps'])).stdout, /fault/)

  t.match(await fetch(`${url}/die`), {status: 502})
  const refused = await fetch(url)
  t.equal(refused.status, 503)
  t.match(await refused.text(), /"web" exited with code 3[^]*\npillion restart web starts it again\n$/)
  t.match(await rig.run(['restart', 'web']), {code: 0})
  t.match(await fetch(url), {status: 200})
  t.match(await rig.run(['down']), {code: 0})
})
