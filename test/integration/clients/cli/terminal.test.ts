import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {closeSync, constants, openSync, readFileSync} from 'node:fs'
import {createServer, type Server, Socket} from 'node:net'
import {join} from 'node:path'
import {text as textOf} from 'node:stream/consumers'
import t from 'tap'
import {CLEAR} from '../../../../src/clients/cli/status-lines.ts'
import {openTerminal} from '../../../../src/clients/cli/terminal.ts'

/** A real pipe; nothing is read before `read` is called. */
function openPipe(folder: string, name = 'pipe') {
  const path = join(folder, name)
  execFileSync('mkfifo', [path])
  const reader = new Socket({fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true})
  const fd = openSync(path, 'w')
  let text = ''
  reader.pause()
  reader.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  return {
    fd,
    /** Reads until so much has come in all. */
    read: async (length: number): Promise<string> => {
      reader.resume()
      while (text.length < length) await new Promise(resolve => reader.once('data', resolve))
      return text
    },
    leave: async (): Promise<void> => {
      const closed = new Promise<void>(resolve => reader.once('close', () => resolve()))
      reader.destroy()
      await closed
    }
  }
}

const devNull = openSync('/dev/null', 'w')
const line = (i: number): string => `${String(i).padStart(98, '.')}\xff\n`

t.test("apps' bytes and our own text arrive on a pipe in the order in which they were written", async t => {
  const pipe = openPipe(t.testdir())
  const {out, isTerminal, width} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.write('\xff\x00bytes\n')
  out.print('ℹ️  ours\n')
  out.write('more\n')
  const expected = `\xff\x00bytes\n${Buffer.from('ℹ️  ours\n').toString('latin1')}more\n`
  t.equal(await pipe.read(expected.length), expected)
  t.equal(isTerminal, false)
  t.equal(width, undefined)
  await pipe.leave()
})

t.test('our own text begins on a line of its own', async t => {
  const pipe = openPipe(t.testdir())
  const {out} = openTerminal({stdout: pipe.fd, stderr: devNull})
  t.notOk(out.midLine)
  out.write('a pro')
  out.write('mpt? ')
  t.ok(out.midLine)
  out.print('ours\n')
  t.notOk(out.midLine)
  out.print('ours too\n')
  const expected = 'a prompt? \nours\nours too\n'
  t.equal(await pipe.read(expected.length), expected)
  await pipe.leave()
})

t.test('behind a screen that was erased a line begins', async t => {
  const pipe = openPipe(t.testdir())
  const {out} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.write(`a line\n${CLEAR}`)
  t.notOk(out.midLine)
  out.print('ours\n')
  const expected = `a line\n${CLEAR}ours\n`
  t.equal(await pipe.read(expected.length), expected)
  await pipe.leave()
})

t.test('a reader that does not read: the writer is asked to wait, we stay awake, and nothing is lost', async t => {
  const pipe = openPipe(t.testdir())
  const {out} = openTerminal({stdout: pipe.fd, stderr: devNull})
  let expected = ''
  let waits: Promise<void> | undefined
  for (let i = 0; waits === undefined; i++) {
    waits = out.write(line(i))
    expected += line(i)
    if (i % 100 === 0) await new Promise(setImmediate) // we are awake, or this would not end
  }
  t.ok(expected.length > 1024 * 1024 && expected.length < 1.3 * 1024 * 1024, `${expected.length} bytes wait`)
  t.equal(out.write('x\n'), waits, 'one promise for all who wait')
  const shown = await pipe.read(expected.length + 2)
  await waits
  t.ok(shown === `${expected}x\n`)
  t.equal(out.write('y\n'), undefined, 'and nobody waits any more')
  await pipe.leave()
})

t.test('a reader that leaves: it is told, who waits is released, and what comes after is dropped', async t => {
  const pipe = openPipe(t.testdir())
  const {out, closed, flush} = openTerminal({stdout: pipe.fd, stderr: devNull})
  let waits: Promise<void> | undefined
  while (waits === undefined) waits = out.write('x'.repeat(64 * 1024))
  await pipe.read(1000)
  await pipe.leave()
  await closed
  await waits
  for (let i = 0; i < 50; i++) t.equal(out.write('x'.repeat(64 * 1024)), undefined)
  t.equal(out.print('x\n'), undefined)
  await flush()
})

t.test('a reader that was gone before the start is told at the first text', async t => {
  const pipe = openPipe(t.testdir())
  await pipe.leave()
  const {out, closed} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.print('x\n')
  await closed
})

t.test('stderr closed is nothing', async t => {
  const folder = t.testdir()
  const [stdout, stderr] = [openPipe(folder, 'out'), openPipe(folder, 'err')]
  const {out, err, closed, flush} = openTerminal({stdout: stdout.fd, stderr: stderr.fd})
  await stderr.leave()
  err.print('nobody reads\n')
  await flush()
  err.print('nobody reads\n')
  out.write('goes on\n')
  t.equal(await stdout.read(8), 'goes on\n')
  t.equal(await Promise.race([closed.then(() => 'closed'), flush()]), undefined)
  await stdout.leave()
})

t.test('both streams into one pipe (2>&1) keep their order', async t => {
  const pipe = openPipe(t.testdir())
  const {out, err} = openTerminal({stdout: pipe.fd, stderr: pipe.fd})
  let expected = ''
  for (let i = 0; i < 2000; i++) {
    out.write(line(i))
    err.print(`err ${i}\n`)
    expected += `${line(i)}err ${i}\n`
    if (i % 300 === 0) await new Promise(setImmediate)
  }
  out.write('open')
  err.print('ours\n')
  expected += 'open\nours\n'
  t.ok((await pipe.read(expected.length)) === expected)
  await pipe.leave()
})

t.test('a file gets everything, in order, from both streams', async t => {
  const path = join(t.testdir(), 'out')
  const [stdout, stderr] = [openSync(path, 'w'), openSync(path, 'w')]
  const {out, err, flush} = openTerminal({stdout, stderr})
  let expected = ''
  for (let i = 0; i < 3000; i++) {
    if (i % 10 === 0) err.print(`… ${i}\n`)
    else out.write(line(i))
    expected += i % 10 === 0 ? Buffer.from(`… ${i}\n`).toString('latin1') : line(i)
    if (i % 500 === 0) await flush()
  }
  await flush()
  t.ok(readFileSync(path, 'latin1') === expected)
  closeSync(stdout)
  closeSync(stderr)
})

t.test('stdout on a full disk: stderr says it once, and the run does not end', async t => {
  const pipe = openPipe(t.testdir())
  const full = openSync('/dev/full', 'w')
  const {out, closed, flush} = openTerminal({stdout: full, stderr: pipe.fd})
  for (let i = 0; i < 3; i++) {
    out.write('x\n')
    await flush()
  }
  const said = 'cannot write to stdout: no space left on device\n'
  t.equal(await pipe.read(said.length), said)
  t.equal(await Promise.race([closed.then(() => 'closed'), flush()]), undefined)
  closeSync(full)
  await pipe.leave()
})

t.test('what we share with others on the same pipe stays blocking', {skip: process.platform !== 'linux'}, async t => {
  const pipe = openPipe(t.testdir())
  const flags = (): string => readFileSync(`/proc/self/fdinfo/${pipe.fd}`, 'utf8').split('\n')[1] ?? ''
  const before = flags()
  const {out, flush} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.write('x\n')
  await flush()
  t.equal(flags(), before)
  t.match(before, /^flags:/)
  await pipe.leave()
})

t.test('flush waits for a reader that reads', async t => {
  const pipe = openPipe(t.testdir())
  const {out, flush} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.write('x'.repeat(2 * 1024 * 1024))
  const flushed = flush().then(() => 'flushed')
  t.not(await Promise.race([flushed, new Promise(setImmediate)]), 'flushed')
  const read = pipe.read(2 * 1024 * 1024)
  await flushed
  await read
  await pipe.leave()
})

t.test('flush does not wait for a reader that is stuck', async t => {
  const pipe = openPipe(t.testdir())
  const {out, flush} = openTerminal({stdout: pipe.fd, stderr: devNull})
  out.write('x'.repeat(200_000))
  await flush()
  t.equal((await pipe.read(200_000)).length, 200_000, 'what was not given up is still there for a late reader')
  await pipe.leave()
})

/** A program that imports the terminal. */
const programOf = (body: string): string => `
import {openTerminal} from ${JSON.stringify(new URL('../../../../src/clients/cli/terminal.ts', import.meta.url).href)}
import {connect} from 'node:net'
const terminal = openTerminal()
${body}`

t.test('a process whose streams are sockets, as those of Node’s children, writes all before it leaves', async t => {
  const program = programOf(`
    for (let i = 0; i < 20000; i++) terminal.out.write(String(i).padStart(99) + '\\n')
    terminal.err.print('… ours\\n')
    await terminal.flush()
    process.exit(3)`)
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {stdio: ['ignore', 'pipe', 'pipe']})
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  t.equal(out.length, 2_000_000)
  t.equal(out.slice(-6), '19999\n')
  t.equal(err, '… ours\n')
  t.equal(await exited, 3)
})

t.test('`| head -n 1` ends a process that writes for ever', async t => {
  const program = programOf(`
    const going = setInterval(() => terminal.out.write('a line\\n'), 1)
    await terminal.closed
    clearInterval(going)
    await terminal.flush()
    terminal.err.print('ended\\n')`)
  const script = '"$0" --input-type=module -e "$1" | head -n 1'
  const child = spawn('sh', ['-c', script, process.execPath, program], {stdio: ['ignore', 'pipe', 'pipe']})
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  t.equal(out, 'a line\n')
  t.equal(err, 'ended\n')
})

/** `script` of util-linux gives a program a pseudo terminal. */
const noScript = spawnSync('script', ['--version']).error !== undefined && 'no `script` here'

t.test('a held terminal (Ctrl-S) freezes nothing, not our end, and then shows all', {skip: noScript}, async t => {
  // What the program tells comes over a connection, as its terminal is held.
  const server: Server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const program = programOf(`
    const side = connect(${port}, '127.0.0.1')
    side.once('close', () => process.exit(1)) // the test is over
    const heard = stream => new Promise(resolve => stream.once('data', resolve))
    terminal.err.print('ready\\n')
    await heard(process.stdin) // the line that came behind Ctrl-S
    const waits = terminal.out.write('x'.repeat(1_500_000) + '\\n')
    let isWaiting = true
    void waits.then(() => (isWaiting = false))
    let ticks = 0
    const ticking = setInterval(() => ticks++, 1)
    await terminal.flush()
    clearInterval(ticking)
    side.write(JSON.stringify({isTerminal: terminal.isTerminal, width: terminal.width, isWaiting, ticks}) + '\\n')
    await heard(side)
    const flushed = terminal.flush()
    await waits
    await flushed
    terminal.out.print('end\\n')
    await terminal.flush()
    process.exit(0)`)
  const connected = new Promise<Socket>(resolve => server.once('connection', resolve))
  const command = `stty cols 123; exec '${process.execPath}' --input-type=module -e "$PROGRAM"`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: 'pipe',
    env: {...process.env, SHELL: '/bin/sh', PROGRAM: program}
  })
  t.teardown(() => child.kill('SIGKILL'))
  let shown = ''
  child.stdout.on('data', (bytes: Buffer) => (shown += bytes.toString('latin1')))
  const shows = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(shown.slice(-500))) await new Promise(resolve => child.stdout.once('data', resolve))
  }
  const side = await connected
  await shows(/ready/)
  child.stdin.write('\x13go\n')
  const report = await new Promise<Buffer>(resolve => side.once('data', resolve))
  const {isTerminal, width, isWaiting, ticks} = JSON.parse(report.toString()) as Record<string, unknown>
  t.equal(isTerminal, true)
  t.equal(width, 123)
  t.equal(isWaiting, true, 'the terminal is held, or this test shows nothing')
  t.ok(Number(ticks) > 5, `the loop turned ${String(ticks)} times while the terminal was held`)
  child.stdin.write('\x11')
  side.write('go on')
  await shows(/end\r\n/)
  t.equal(shown.match(/x/g)?.length, 1_500_000)
  server.close()
  side.destroy()
})
