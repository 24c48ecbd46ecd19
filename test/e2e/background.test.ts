import {existsSync} from 'node:fs'
import {createServer} from 'node:http'
import {once} from 'node:events'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {appsOf} from '../rig/control-socket.ts'

const SERVER = `require('node:http').createServer((request, response) => {
  if (request.url === '/end') process.exit()
  response.end(String(process.pid))
}).listen(process.env.PORT, '127.0.0.1')`
const FOLLOWED = /"api" has put itself into the background: Pillion follows process (\d+), which listens on port \d+/

const WAYS: Readonly<Record<string, string>> = {
  'a child of a shell that exits': 'node server.js & exit 0',
  'a session of its own': 'setsid node server.js & exit 0',
  'a double fork': '(setsid sh -c "node server.js & exit 0" &) ; exit 0',
  'a launcher that exits when its server answers':
    'setsid node server.js & until curl -fs http://127.0.0.1:$PORT/ >/dev/null; do sleep 0.02; done; exit 0'
}

async function write(rig: Rig, app: object): Promise<void> {
  const of = {id: 'api', dir: '.', ...app}
  await rig.write({'server.js': SERVER, 'pillion.yaml': JSON.stringify({version: 1, apps: [of]})})
}

async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await pause(20)
}

for (const [way, script] of Object.entries(WAYS))
  t.test(`a server that puts itself into the background is followed: ${way}`, async t => {
    const rig = await openRig(t)
    const port = await freePort()
    await write(rig, {port, command: ['sh', '-c', script]})
    const run = rig.pillion(['up'])
    const ask = async (): Promise<number> => Number(await (await fetch(`http://localhost:${port}/`)).text())
    await run.waitForLine(FOLLOWED, {stream: 'stderr'})
    const first = await ask()
    t.match(await appsOf(rig), [{id: 'api', state: 'running', isReady: true}])
    t.equal((await rig.run(['restart', 'api'])).code, 0)
    await gone(first)
    const second = await ask()
    t.not(second, first)
    t.equal((await rig.run(['down'])).code, 0)
    await gone(second)
    t.equal(run.stderr.lines.filter(line => FOLLOWED.test(line)).length, 1, 'said once')
    t.notMatch(run.stderr.text, 'ended process')
  })

t.test('the end of a server in the background is the end of its app, and restart starts it again', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await write(rig, {port, restart: 'always', command: ['sh', '-c', 'setsid node server.js & exit 0']})
  const run = rig.pillion(['up'])
  await run.waitForLine(FOLLOWED, {stream: 'stderr'})
  const first = Number(await (await fetch(`http://localhost:${port}/`)).text())
  await fetch(`http://localhost:${port}/end`)
  await gone(first)
  t.not(Number(await (await fetch(`http://localhost:${port}/`)).text()), first)
})

t.test('a program that takes the port of a server in the background is not followed', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await write(rig, {
    appPort: port,
    command: ['sh', '-c', 'sh -c "echo waits; until test -e taken; do sleep 0.02; done" & exit 0']
  })
  const stranger = createServer((_, response) => response.end('stranger'))
  t.teardown(() => stranger.close())
  const run = rig.pillion(['up'])
  await run.waitForLine('== APP - api == waits')
  await once(stranger.listen(port, '127.0.0.1'), 'listening')
  await rig.write({taken: ''})
  await run.exited
  t.notMatch(run.stdout.text + run.stderr.text, /background|ready/)
})
