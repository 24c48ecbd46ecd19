import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig, type Rig, type Scene} from '../rig/rig.ts'
import {tracesCarrying} from '../rig/traces.ts'

const STAND_IN = [process.execPath, join(import.meta.dirname, '../fixtures/rig/stand-in.mjs')]

const open = async (scene: Scene): Promise<Rig> => openRig(scene, {program: STAND_IN})

/** A scene whose end the test itself chooses. */
function scene(hasPassed = true): Scene & {end: () => Promise<void>} {
  const closers: (() => Promise<void>)[] = []
  return {
    teardown: close => void closers.push(close),
    passing: () => hasPassed,
    end: async () => void (await Promise.all(closers.map(async close => close())))
  }
}

t.test('a driven app does what the test says, and tells what it sees', async t => {
  const rig = await open(t)
  const program = rig.pillion(['order', ...rig.drivenCommand])
  const app = await rig.driven('order')
  t.equal(app.env['PILLION_RUNTIME_DIR'], rig.runtimeDir)
  t.equal(app.env['HOME'], rig.home)
  t.equal(app.hello.folder, rig.folder)
  t.equal(app.hello.parent, program.pid)

  await app.print(Buffer.from([0x68, 0xc3]))
  await app.print(Buffer.from([0xa9, 0x0a]))
  t.equal(await program.waitForLine(/^h./), 'hé', 'a character in two pieces stays one')
  await app.print('to stderr\n', 'stderr')
  t.equal(await program.waitForLine('stderr', {stream: 'stderr'}), 'to stderr')

  const url = `http://127.0.0.1:${await app.listen()}`
  const answer = fetch(`${url}/items?id=7`, {method: 'POST', body: 'apple', headers: {'x-kind': 'fruit'}})
  const request = await app.nextRequest()
  t.match(request, {method: 'POST', url: '/items?id=7', body: 'apple', headers: {'x-kind': 'fruit'}})
  await request.reply({status: 201, headers: {'x-made': 'yes'}, body: 'made'})
  t.equal((await answer).status, 201)
  t.equal((await answer).headers.get('x-made'), 'yes')
  t.equal(await (await answer).text(), 'made')
  await app.answer({status: 204})
  t.equal((await app.fetch(url)).status, 204)

  await app.catchSignal('SIGUSR2')
  process.kill(app.pid, 'SIGUSR2')
  t.equal(await app.nextSignal(), 'SIGUSR2')
  await t.rejects(app.listen({port: 99_999}), /ERR_SOCKET_BAD_PORT/, 'a change that fails is an error of the test')
  await app.exit(3)
  t.same(await program.exited, {code: 3, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('the ports of an app are read from its start lines', async t => {
  const rig = await open(t)
  const program = rig.pillion(['order.v1', ...rig.drivenCommand])
  t.same(await program.ports('order.v1'), {http: 41001, grpc: 41002})
})

t.test('a line is found whether it came before or comes after, and counted', async t => {
  const rig = await open(t)
  const program = rig.pillion(['order', ...rig.drivenCommand])
  const app = await rig.driven('order')
  const second = program.waitForLine(/^again$/, {nth: 2})
  await app.print('again\nagain\nlast')
  t.equal(await second, 'again')
  t.equal(await program.waitForLine(/^again$/), 'again')
  await t.rejects(
    program.waitForLine('nowhere', {limitMs: 10}),
    /no line nowhere in 10 ms; the last lines were:\n.*again/s
  )
  await app.exit(0)
  await t.rejects(program.waitForLine('nowhere'), /no line nowhere before the stream ended/)
  await program.exited
  t.equal(program.stdout.lines.at(-1), 'last', 'the last line may lack its newline')
})

t.test('what a program leaves behind is named while the rig is open, and ended when it closes', async t => {
  const ended = scene()
  const rig = await open(ended)
  const program = rig.pillion(['order', ...rig.drivenCommand])
  const app = await rig.driven('order')
  const grandchild = await app.spawn({leavesGroup: true, ignoresTerm: true, without: ['PILLION_RUN']})
  program.signalGroup('SIGINT')
  t.same(await program.exited, {code: 0, signal: null})
  const left = await rig.leftovers(0)
  t.ok(
    left.some(line => line.startsWith(`${app.pid} `)),
    'the app'
  )
  t.ok(
    left.some(line => line.startsWith(`${grandchild} `)),
    'and what it started'
  )
  t.equal(left.length, 2)
  await ended.end()
  await app.closed
  t.same(tracesCarrying(`RIG_SOCKET=${app.env['RIG_SOCKET'] ?? ''}`), [])
})

t.test('a test that fails shows everything that was printed', async t => {
  const failed = scene(false)
  const rig = await open(failed)
  const program = rig.pillion(['order', ...rig.drivenCommand])
  const app = await rig.driven('order')
  await app.print('what went wrong\n')
  await program.waitForLine('what went wrong')
  const shown = t.capture(process.stderr, 'write')
  await failed.end()
  t.match(
    shown()
      .map(({args}) => String(args[0]))
      .join(''),
    /driven.mjs\n  State: S .*threads wait in .*stand-in.mjs order .*stdout:\n.*what went wrong\n/s
  )
})

t.test('a template without commands runs driven apps in folders of their own', async t => {
  const rig = await open(t)
  await rig.template([
    {appID: 'order', appPort: 1},
    {appID: 'stock', appDirPath: 'shelf', command: ['true']}
  ])
  const program = rig.start(['cat', 'dapr.yaml'])
  await program.exited
  t.match(JSON.parse(program.stdout.text), {
    version: 1,
    apps: [
      {appID: 'order', appDirPath: 'order', appPort: 1, command: rig.drivenCommand},
      {appID: 'stock', appDirPath: 'shelf', command: ['true']}
    ]
  })
})

t.test('a test that is killed leaves neither processes nor folders', async t => {
  const killed = spawn(process.execPath, [join(import.meta.dirname, '../fixtures/rig/killed.ts'), STAND_IN[1] ?? ''])
  const [line] = (await once(createInterface(killed.stdout), 'line')) as [string]
  const {socket, folder} = JSON.parse(line) as {readonly socket: string; readonly folder: string}
  const mark = `RIG_SOCKET=${socket}`
  t.equal(tracesCarrying(mark).length, 3, 'the program, its app, and what that started')
  killed.kill('SIGKILL')
  while (tracesCarrying(mark).length > 0 || existsSync(folder)) await pause(20)
})
