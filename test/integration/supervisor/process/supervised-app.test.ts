import {copyFile, readFile} from 'node:fs/promises'
import {connect} from 'node:net'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {test} from 'tap'
import {freePort} from '../../../rig/free-port.ts'
import {preparePipes} from '../../../../src/supervisor/process/process-pipes.ts'
import {afterExit, type AfterExit, type ExitByItself} from '../../../../src/supervisor/process/restart-policy.ts'
import {ALONE, fixture, Scene, script} from './scene.ts'

const FOREVER = script('while :; do sleep 0.05; done')

/** The policy as it is, without its pauses. */
const atOnce = (ended: ExitByItself): AfterExit => {
  const next = afterExit(ended, ALONE)
  return next.kind === 'starts' ? {...next, inMs: 1} : next
}

test('an app that ends with 0 is started, ready and exited', async t => {
  const {app, witness} = new Scene(t).app({command: script('echo hello; printf bye >&2')})
  await app.start()
  t.equal(witness.states[0]?.phase, 'starting')
  t.same(await app.ended, {phase: 'exited', exit: {kind: 'code', code: 0}, asked: false})
  t.same(witness.text, {stdout: 'hello\n', stderr: 'bye\n', status: ''})
  t.equal(app.state.phase, 'exited')
})

test('a command that does not exist is reported by the shell, with 127', async t => {
  const env = {PATH: '/usr/bin:/bin'}
  const {app, witness} = new Scene(t).app({command: ['no-such-program', 'an argument'], env})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 127}, asked: false})
  t.equal(witness.text.stderr, 'sh: 1: exec: no-such-program: not found\n')
  t.same(app.lastLines.stderr, ['sh: 1: exec: no-such-program: not found'])
})

test('arguments reach the program as they are', async t => {
  const {app, witness} = new Scene(t).app({command: ['printf', '%s|', 'a b', '$HOME', '', '"quoted"', '*']})
  void app.start()
  await app.ended
  t.equal(witness.text.stdout, 'a b|$HOME||"quoted"|*|\n')
})

test('the environment is exactly what was given', async t => {
  const scene = new Scene(t)
  const env = {...scene.environment('only'), PWD: '/', EMPTY: '', SPACED: 'a b=c'}
  const {app, witness} = scene.app({command: ['/usr/bin/env'], folder: '/'}, {environment: () => env})
  void app.start()
  await app.ended
  const seen = Object.fromEntries(
    witness.text.stdout
      .trim()
      .split('\n')
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  )
  t.same(seen, env)
})

test('an app of a template reads nothing', async t => {
  const {app, witness} = new Scene(t).app({command: ['cat']})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 0}})
  t.equal(witness.text.stdout, '')
})

const full = (): never => {
  throw new Error('ENOSPC: no space left on device, write')
}

test('what cannot be prepared for a process, as on a full disk, is an exit, not a throw', async t => {
  for (const unprepared of [{environment: full}, {folder: full}]) {
    const {app, witness} = new Scene(t).app({command: ['true']}, unprepared)
    await app.start()
    const exit = {kind: 'spawn-error', message: 'ENOSPC: no space left on device, write'} as const
    t.same(await app.ended, {phase: 'exited', exit, asked: false})
    t.same(witness.states[0], {phase: 'starting', pid: undefined})
  }
})

test('a folder that is not there is an exit, not a throw', async t => {
  const {app, witness} = new Scene(t).app({command: ['true'], folder: '/no/such/folder'})
  await app.start()
  t.same(await app.ended, {
    phase: 'exited',
    exit: {kind: 'spawn-error', message: 'no such folder: /no/such/folder'},
    asked: false
  })
  t.same(witness.states[0], {phase: 'starting', pid: undefined})
})

test('an argument that no program can be given is an exit, not a throw', async t => {
  const {app} = new Scene(t).app({command: ['echo', 'a\0b']})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'spawn-error', message: /null byte/}})
})

test('an app that ends by a signal tells which', async t => {
  const {app} = new Scene(t).app({command: script('kill -USR1 $$; sleep 5')})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'signal', signal: 'SIGUSR1'}, asked: false})
})

test('an app that fails is started again, and given up after 16 short lives', async t => {
  const scene = new Scene(t)
  const command = script('echo once more; echo "life $PILLION_LIFE fails" >&2; exit 3')
  const {app, witness} = scene.app({command, restart: 'on-failure'}, {next: atOnce})
  void app.start()
  t.same(await app.ended, {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false})
  t.equal(witness.text.stdout, 'once more\n'.repeat(16))
  t.equal(witness.phases.filter(phase => phase === 'backoff').length, 15)
  const line = `life ${scene.run}-0.16 fails`
  t.same(witness.notes, [{type: 'given-up', times: 16, exit: {kind: 'code', code: 3}, line}])
  t.equal(app.shortRuns, 16)
})

test('each life has its own mark and environment', async t => {
  const scene = new Scene(t)
  const {app, witness} = scene.app({command: script('echo $PILLION_LIFE; exit 1'), restart: 'always'}, {next: atOnce})
  void app.start()
  await witness.seen(/-0\.3\n/)
  await app.stop('user')
  t.match(witness.text.stdout, `${scene.run}-0.1\n${scene.run}-0.2\n${scene.run}-0.3\n`)
})

test('stop during backoff ends at once', async t => {
  const {app, witness} = new Scene(t).app(
    {command: ['false'], restart: 'always'},
    {next: () => ({kind: 'starts', inMs: 60_000})}
  )
  void app.start()
  await witness.phase('backoff')
  t.match(app.state, {failures: 1, last: {kind: 'code', code: 1}})
  await app.stop('user')
  t.same(app.state, {phase: 'exited', exit: {kind: 'code', code: 1}, asked: true})
})

test('stop before start means that nothing is spawned', async t => {
  const {app, witness} = new Scene(t).app({command: FOREVER})
  await app.stop('user')
  t.same(witness.states, [{phase: 'exited', exit: undefined, asked: true}])
  await app.start()
  t.equal(witness.states.length, 1)
})

test('stop in the moment of start means that nothing is spawned', async t => {
  const {app, witness} = new Scene(t).app({command: FOREVER})
  const [pipes] = await preparePipes(1)
  const starting = app.start(pipes)
  await app.stop('user')
  await starting
  t.same(witness.phases, ['exited'])
})

test('lives are prepared together, and start with the pipes they are given', async t => {
  const scene = new Scene(t)
  const pipes = await preparePipes(3)
  const apps = pipes.map((_, index) => scene.app({command: ['echo', `number ${index}`]}))
  await Promise.all(apps.map(async ({app}, index) => app.start(pipes[index])))
  await Promise.all(apps.map(async ({app}) => app.ended))
  t.same(
    apps.map(({witness}) => witness.text.stdout),
    ['number 0\n', 'number 1\n', 'number 2\n']
  )
})

test('stopping twice waits for the same end', async t => {
  const {app, witness} = new Scene(t).app({command: FOREVER})
  await app.start()
  await Promise.all([app.stop('user'), app.stop('run ends')])
  t.equal(witness.phases.filter(phase => phase === 'exited').length, 1)
})

test('an app that takes no notice of the stop signal is killed when the grace is over', async t => {
  const stop = {signal: 'SIGTERM', timeoutMs: 300, first: 'leader', scope: 'all'} as const
  const {app, witness} = new Scene(t).app({command: ['sh', fixture('deaf.sh').at(-1) ?? ''], stop})
  await app.start()
  await witness.seen(/deaf/)
  await app.stop('user')
  t.match(app.state, {exit: {kind: 'signal', signal: 'SIGKILL'}, asked: true})
})

test('stopNow ends the grace of a stop that is under way', async t => {
  const stop = {signal: 'SIGTERM', timeoutMs: 600_000, first: 'leader', scope: 'all'} as const
  const {app, witness} = new Scene(t).app({command: ['sh', fixture('deaf.sh').at(-1) ?? ''], stop})
  await app.start()
  await witness.seen(/deaf/)
  const stopped = app.stop('user')
  await witness.phase('stopping')
  app.stopNow()
  await stopped
  t.match(app.state, {exit: {kind: 'signal', signal: 'SIGKILL'}})
})

test('the stop signal of the plan is the one that is sent', async t => {
  const stop = {signal: 'SIGINT', timeoutMs: 5000, first: 'leader', scope: 'all'} as const
  const command = script('trap "echo interrupted; exit 0" INT; echo up; while :; do sleep 0.02; done')
  const {app, witness} = new Scene(t).app({command, stop})
  await app.start()
  await witness.seen(/up/)
  await app.stop('user')
  t.equal(witness.text.stdout, 'up\ninterrupted\n')
  t.match(app.state, {exit: {kind: 'code', code: 0}, asked: true})
})

test('a single app reads what we are given, without a shell around it', async t => {
  const input = Readable.from([Buffer.from('one\n'), Buffer.from('two')])
  const {app, witness} = new Scene(t).app({command: ['cat']}, {single: {input}})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 0}})
  t.equal(witness.text.stdout, 'one\ntwo', 'byte for byte')
})

test('a single app whose program does not exist cannot be started', async t => {
  const {app} = new Scene(t).app({command: ['no-such-program']}, {single: {input: undefined}})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'spawn-error', message: /no such file or directory/}})
})

test('a single app that reads no input is not held up by it', async t => {
  const input = new Readable({read: () => undefined})
  const {app} = new Scene(t).app({command: ['true']}, {single: {input}})
  void app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 0}})
})

test('a restarted server has its port back', async t => {
  const port = await freePort()
  const {app, witness} = new Scene(t).app({command: fixture('listen.mjs', '127.0.0.1', port.toString())})
  await app.start()
  await witness.seen(/listening/)
  await app.stop('user')
  const refused = await new Promise(resolve => {
    connect({host: '127.0.0.1', port}).once('error', resolve).once('connect', resolve)
  })
  t.match(refused, {code: 'ECONNREFUSED'})
})

test('a stop while the folder is made ready starts no process', async t => {
  const [asked, made] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
  const folder = async (): Promise<string> => {
    asked.resolve()
    return made.promise
  }
  const {app, witness} = new Scene(t).app({command: FOREVER}, {folder})
  void app.start()
  await asked.promise
  const stopped = app.stop('user')
  made.resolve('/usr')
  await stopped
  t.same(witness.phases, ['exited'])
})

test('one that is to sleep while it waits for its next start sleeps, and is started again', async t => {
  const {app, witness} = new Scene(t).app({command: ['false'], restart: 'always'}, {next: () => ({kind: 'waits'})})
  await app.start()
  await witness.phase('backoff')
  app.sleep()
  await witness.phase('asleep')
  await app.start()
  await witness.phase('backoff', 2)
})

test("the user's browser, opened by an app, outlives it; one that a program drives does not", async t => {
  const scene = new Scene(t)
  const folder = await scene.folder()
  const browser = join(folder, 'chromium')
  await copyFile('/bin/bash', browser)
  const run = (word: string): string =>
    `mkfifo ${word}; setsid ${browser} -c 'echo $$ >${word}.pid; read x <>${word}' x --${word} & `
  const {app, witness} = scene.app({
    folder,
    command: script(
      `${run('window')}${run('headless')}while ! [ -s window.pid -a -s headless.pid ]; do sleep 0.05; done; echo up; sleep 300`
    )
  })
  await app.start()
  await witness.seen(/up/)
  const pid = Number(await readFile(join(folder, 'window.pid'), 'utf8'))
  t.teardown(async () => {
    process.kill(pid, 'SIGKILL')
    while ((await scene.left()).length > 0) await new Promise(setImmediate)
  })
  await app.stop('user')
  t.same(await scene.left(), [pid])
  t.match(witness.notes, [{type: 'orphan-ended', command: /--headless/}])
})

test('its watchdog is given the time that it may take to end', async t => {
  const given: number[] = []
  const watch = (_: unknown, graceMs = 0): void => void given.push(graceMs)
  const watchdog = {watch, forget: () => undefined, openNetwork: async () => undefined}
  const stop = {signal: 'SIGTERM', timeoutMs: 7000, first: 'leader', scope: 'all'} as const
  const {app} = new Scene(t).app({command: script('exec sleep 300'), stop}, {watchdog})
  await app.start()
  await app.stop('user')
  t.same(given, [7000])
})
