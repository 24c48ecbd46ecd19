import {fstatSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {setTimeout as pause} from 'node:timers/promises'
import {test} from 'tap'
import {preparePipes} from '../../../../src/supervisor/process/process-pipes.ts'
import {endMarked} from '../../../../src/supervisor/process/end-group.ts'
import {loadFfi} from '../../../../src/platform/experimental.ts'
import {closePipes, makePipes} from '../../../../src/platform/pipes.ts'
import {fixture, isAlive, Scene, script, Witness} from './scene.ts'

const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString()

test('a last line without a newline is delivered, with one', async t => {
  const {app, witness} = new Scene(t).app({command: ['printf', 'one\ntwo']})
  await app.start()
  await app.ended
  t.equal(witness.text.stdout, 'one\ntwo\n')
})

test('a character that comes in halves is whole', async t => {
  const {app, witness} = new Scene(t).app({command: fixture('half-character.mjs')})
  await app.start()
  await app.ended
  t.equal(utf8(witness.text.stdout), 'aé\nz\n')
})

test('a program may open its output by name', async t => {
  const command = script('echo one; echo two > /dev/stdout; echo three > /dev/stderr; echo four > /proc/self/fd/1')
  const {app, witness} = new Scene(t).app({command})
  await app.start()
  t.match(await app.ended, {exit: {code: 0}})
  t.same(witness.text, {stdout: 'one\ntwo\nfour\n', stderr: 'three\n', status: ''})
})

test('a line of 10 MB comes whole, in pieces that nothing gets between', async t => {
  const pieces: string[] = []
  const {app} = new Scene(t).app(
    {command: fixture('long-line.mjs', '10')},
    {
      lines: ({text}) => {
        pieces.push(text)
        return undefined
      }
    }
  )
  await app.start()
  t.match(await app.ended, {exit: {code: 0}})
  const text = pieces.join('')
  t.equal(text.length, 10 * 1024 * 1024 + 7)
  t.equal(text.slice(-8), 'x\nshort\n')
  t.ok(Math.max(...pieces.map(piece => piece.length)) <= 192 * 1024, 'no piece is kept for long')
})

test('an app that closes its output early goes on', async t => {
  const {app, witness} = new Scene(t).app({command: script('echo before; exec >&- 2>&-; sleep 0.2; exit 4')})
  await app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 4}})
  t.equal(witness.text.stdout, 'before\n')
  t.same(witness.phases, ['starting', 'running', 'running', 'exited'])
})

test('a sink that says wait stops the app, and nothing is lost', async t => {
  const {promise, resolve} = Promise.withResolvers<void>()
  const witness = new Witness()
  let turns = 0
  const {app} = new Scene(t).app(
    {command: fixture('long-line.mjs', '3')},
    {
      lines: lines => {
        witness.lines(lines)
        return turns++ === 0 ? promise : undefined
      }
    }
  )
  await app.start()
  await witness.until('something came', () => witness.text.stdout !== '')
  const early = witness.text.stdout.length
  t.ok(early < 200_000)
  resolve()
  t.match(await app.ended, {exit: {code: 0}})
  t.equal(witness.text.stdout.length, 3 * 1024 * 1024 + 7)
})

test('the end waits for a sink that still has lines to take', async t => {
  const witness = new Witness()
  const {app} = new Scene(t).app(
    {command: script('echo one; sleep 0.05; echo two')},
    {
      lines: async lines => {
        await new Promise(taken => setTimeout(taken, 300))
        witness.lines(lines)
      }
    }
  )
  await app.start()
  await app.ended
  t.equal(witness.text.stdout, 'one\ntwo\n')
})

test('a sink that takes nothing holds up the end within the grace, and not when it is over', async t => {
  const taken = Promise.withResolvers<void>()
  t.teardown(() => taken.resolve())
  const witness = new Witness()
  const {app} = new Scene(t).app(
    {
      command: script('echo $$; exec sleep 1000'),
      stop: {signal: 'SIGTERM', timeoutMs: 3_600_000, first: 'leader', scope: 'all'}
    },
    {
      lines: lines => {
        witness.lines(lines)
        return taken.promise
      }
    }
  )
  await app.start()
  const [, pid] = await witness.seen(/(\d+)/)
  const ended = app.stop('user')
  while (isAlive(Number(pid))) await pause(10)
  app.stopNow()
  await ended
  t.match(app.state, {phase: 'exited'})
})

test('a single app is passed on byte for byte', async t => {
  const {app, witness} = new Scene(t).app(
    {command: ['printf', 'one\\r\\n\\001\\377prompt> ']},
    {single: {input: undefined}}
  )
  await app.start()
  await app.ended
  t.equal(witness.text.stdout, 'one\r\n\x01\xffprompt> ')
})

test('what lives on after a success is still heard, and does not hold up the end', async t => {
  const scene = new Scene(t)
  const away = 'setsid sh -c "touch away; sleep 0.5; echo later; sleep 1000"'
  const command = script(`${away} & until [ -e away ]; do sleep 0.01; done; echo now`)
  const stop = {signal: 'SIGTERM', timeoutMs: 600_000, first: 'leader', scope: 'all'} as const // no test waits that long
  const {app, witness} = scene.app({command, stop, folder: await scene.folder()})
  await app.start()
  await app.ended
  await witness.seen(/now\nlater\n/)
  await endMarked({marker: scene.marker, graceMs: 5000, ended: () => undefined})
})

test('the last lines on stderr are remembered per life', async t => {
  const lines = Array.from({length: 12}, (_, at) => `é${at}`)
  const {app} = new Scene(t).app({command: script(`printf '%s\\n' ${lines.join(' ')} >&2; echo other; exit 1`)})
  await app.start()
  await app.ended
  t.same(app.lastLines.stderr, lines.slice(2))
})

test('no folder and no file is left of the pipes', async t => {
  const {TMPDIR} = process.env
  const folder = await new Scene(t).folder()
  process.env['TMPDIR'] = folder
  t.teardown(() => (TMPDIR === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = TMPDIR)))
  const pipes = await makePipes(2)
  t.equal(pipes.length, 2)
  t.same(await readdir(folder), [])
  t.same(await makePipes(0), [])
  for (const pair of pipes) closePipes(pair)
  for (const {stdout, stderr} of pipes) {
    for (const end of [stdout.ours, stdout.theirs, stderr.ours, stderr.theirs]) t.throws(() => fstatSync(end))
  }
})

test('pipes do not need the folders of the system in PATH', async t => {
  const {PATH} = process.env
  process.env['PATH'] = '/nope'
  t.teardown(() => (PATH === undefined ? delete process.env['PATH'] : (process.env['PATH'] = PATH)))
  const [pipes] = await makePipes(1)
  t.ok(pipes)
  if (pipes !== undefined) closePipes(pipes)
})

test('FIFOs that cannot be made are an exit, not a throw', async t => {
  const {TMPDIR} = process.env
  const {platform} = process
  process.env['TMPDIR'] = '/no/such/folder'
  Object.defineProperty(process, 'platform', {value: 'darwin'}) // which has no pipe2(2)
  t.teardown(() => {
    Object.defineProperty(process, 'platform', {value: platform})
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  })
  const {app} = new Scene(t).app({command: ['true']})
  const [pipes] = await preparePipes(1)
  await app.start(pipes)
  t.match(await app.ended, {
    exit: {
      kind: 'spawn-error',
      message: /cannot create pipes.*no such file.*; is there a folder \/no\/such\/folder .* TMPDIR/
    }
  })
})

test('pipes of the system need no folder', async t => {
  const {TMPDIR} = process.env
  process.env['TMPDIR'] = '/no/such/folder'
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  })
  if (process.platform !== 'linux' || loadFfi() === undefined) return void t.pass('this Node makes FIFOs')
  const [pipes] = await makePipes(1)
  t.ok(pipes)
  if (pipes !== undefined) closePipes(pipes)
})
