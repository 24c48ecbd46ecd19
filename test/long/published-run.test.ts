import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Says who it is, and in which process; `/die` ends it, `/next` asks the app at NEXT for `/die`. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
const {APP_ID, PILLION_LIFE, NEXT, PORT} = process.env
createServer(async ({url, headers}, response) => {
  if (url === '/die') process.exit(3)
  if (url === '/next') await fetch('http://localhost:' + NEXT + '/die', {headers: {traceparent: headers.traceparent}}).catch(() => {})
  response.end(APP_ID + ' ' + PILLION_LIFE)
}).listen(PORT, '127.0.0.1')
`

interface Scene {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  readonly ports: readonly number[]
  readonly write: (apps: readonly object[]) => Promise<void>
  readonly app: (id: string, port: number, more?: object) => object
}

const app: Scene['app'] = (appID, port, more) => ({appID, appDirPath: '.', port, command: ['node', 'app.mjs'], ...more})

async function openScene(
  t: Test,
  appsOf: (app: Scene['app'], ports: readonly number[]) => readonly object[]
): Promise<Scene> {
  const rig = await openRig(t)
  const ports = [await freePort(), await freePort()]
  const write = async (apps: readonly object[]): Promise<void> =>
    rig.write({'dapr.yaml': JSON.stringify({version: 1, apps})})
  await rig.write({'app.mjs': APP})
  await write(appsOf(app, ports))
  const run = rig.pillion(['up', '--watch'])
  await rig.run(['wait', '--for', 'ready'])
  return {rig, run, ports, write, app}
}

const textAt = async (port = 0, path = '/'): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text()

t.test('why names the call at a port that ended an app; trace shows it below its cause, wait counts it', async t => {
  const {rig, run, ports} = await openScene(t, (app, [first = 0, second = 0]) => [
    app('web', first, {env: {NEXT: second.toString()}}),
    app('api', second)
  ])
  t.match(await textAt(ports[0], '/next'), /^web /)
  await run.waitForLine('exited with code 3', {stream: 'stderr'})
  t.match(await rig.run(['wait', '--for', 'calls:web:api:1', '--timeout', '5s']), {code: 0})
  t.match((await rig.run(['why', 'api'])).stdout, /GET \/die/)
  t.match((await rig.run(['why', 'api'])).stdout, /web/)
  const {stdout} = await rig.run(['trace', '1'])
  t.match(stdout, /outside[^]*web[^]*GET \/next[^]*\n[^\n]*api[^\n]*GET \/die/)
})

t.test('replicas take turns at a port; a debugged app lets callers wait until its program is there', async t => {
  const {rig, ports} = await openScene(t, (app, [first = 0, second = 0]) => [
    app('many', first, {replicas: 2}),
    app('one', second)
  ])
  const answers = [await textAt(ports[0]), await textAt(ports[0]), await textAt(ports[0]), await textAt(ports[0])]
  t.equal(new Set(answers).size, 2)
  t.same(answers.slice(0, 2), answers.slice(2))
  const before = await textAt(ports[1])
  t.match(await rig.run(['debug', 'one']), {code: 0})
  const waiting = textAt(ports[1])
  await rig.run(['restart', 'many'])
  t.match(await rig.run(['start', 'one']), {code: 0})
  const after = await waiting
  t.match(after, /^one /)
  t.not(after, before)
  t.match(await rig.run(['calls', '-o', 'ndjson', 'to:one', 'is:waited']), {stdout: /"from":"outside"/})
})

t.test('an edit gives the numbers of two apps to each other, and frees the one that no app has any more', async t => {
  const {rig, ports, write, app} = await openScene(t, (app, [first = 0, second = 0]) => [
    app('a', first),
    app('b', second)
  ])
  const [first = 0, second = 0] = ports
  t.same(
    [await textAt(first), await textAt(second)].map(text => text.slice(0, 2)),
    ['a ', 'b ']
  )
  const edit = async (...apps: readonly object[]): Promise<void> => {
    await write(apps)
    t.match(await rig.run(['wait', '--for', 'idle:300ms']), {code: 0})
  }
  await edit(app('a', second), app('b', first))
  t.same(
    [await textAt(first), await textAt(second)].map(text => text.slice(0, 2)),
    ['b ', 'a ']
  )
  await edit(app('a', first))
  t.match(await textAt(first), /^a /)
  await t.rejects(textAt(second), 'nobody has it any more')
  t.match((await rig.run(['ps'])).stdout, `http://localhost:${first}`)
})
