import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import {readdirSync, readFileSync} from 'node:fs'
import {Agent} from 'node:http'
import http2 from 'node:http2'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {beginSilence, called, oddApp} from '../rig/bad-input.ts'
import {controlSocket} from '../rig/control-socket.ts'
import {inDisguise} from '../rig/disguise.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {environmentOf, tracesCarrying} from '../rig/traces.ts'

/** What a run and its connections may have; more connections than that are opened. */
const DESCRIPTORS = 256
const CONNECTIONS = 400

const limited = (rig: Rig): readonly string[] => [
  'sh',
  '-c',
  `ulimit -n ${DESCRIPTORS}; exec "$@"`,
  'sh',
  ...rig.program,
  'run',
  '-f',
  '.'
]

/** Settles when the log of a sidecar has such a line. */
const logged = async (rig: Rig, line: RegExp): Promise<void> => {
  const logs = (): readonly string[] =>
    readdirSync(rig.folder, {recursive: true, encoding: 'utf8'}).filter(name => name.includes('_daprd_'))
  while (!logs().some(name => line.test(readFileSync(join(rig.folder, name), 'utf8')))) await pause(10)
}

t.test('more connections than descriptors: who is connected is answered, an app that dies starts again', async t => {
  const rig = await openRig(t)
  const [odd, ...others] = ['odd', 'good', 'shop', 'other'].map(oddApp)
  await rig.template([{...odd, appID: 'odd', restart: 'always'}, ...others])
  const run = rig.start(limited(rig))
  const [{http: port}, {http: other}] = [await run.ports('shop'), await run.ports('other')]
  const agent = new Agent({keepAlive: true, maxSockets: 1})
  t.teardown(() => agent.destroy())
  await called(other, 'good', '/echo', {agent})

  const silence = await beginSilence(port, CONNECTIONS)
  const statuses = new Set<number>()
  for (let n = 0; n < 100; n++) statuses.add((await called(other, 'good', '/echo', {agent})).status)
  t.same([...statuses], [200])
  await logged(rig, /connections are closed at once: this process may have 256 files and connections open/)
  process.kill(processOf(rig, 'odd'), 'SIGKILL')
  await run.stderr.line(/"odd" was ended by SIGKILL/)
  t.match(await called(other, 'odd', '/echo', {agent}), {status: 200}, 'the new process has descriptors, too')
  t.match(await rig.run(['ps']), {code: 0}, 'nobody takes the run for dead, and ends it')
  await silence.end()

  const fresh = new Agent()
  for (const app of ['good', 'odd']) t.match(await called(port, app, '/echo', {agent: fresh}), {status: 200}, app)
  t.match((await rig.run(['ps'])).stdout, /^odd .*\n(?:.*\n)*other /m)
  t.match(await run.end(), {code: 0})
})

function processOf(rig: Rig, id: string): number {
  for (const {pid} of tracesCarrying(rig.marker)) if (environmentOf(pid).includes(`APP_ID=${id}`)) return pid
  throw new Error(`no process of ${id}`)
}

/** Streams of HTTP/2 that lead to an app of HTTP/1 take a connection each, of all descriptors at most a quarter. */
const MAX_OUTGOING = DESCRIPTORS / 4
const STREAMS = 200

t.test('streams of HTTP/2 that never end leave descriptors to others: what is beyond a quarter is refused', async t => {
  const rig = await openRig(t)
  await rig.template(['odd', 'good', 'shop', 'other'].map(oddApp))
  const run = rig.start(limited(rig))
  const [{http: port}, {http: other}] = [await run.ports('shop'), await run.ports('other')]
  await called(other, 'good', '/echo', {agent: new Agent()})
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  await once(session, 'remoteSettings')
  const ended: number[] = []
  const full = Promise.withResolvers<void>()
  const open = Array.from({length: STREAMS}, () => {
    const stream = session.request({':method': 'POST', ':path': '/v1.0/invoke/odd/method/never'}, {endStream: false})
    stream.on('error', () => undefined)
    stream.on('close', () => {
      if (ended.push(stream.rstCode) === STREAMS - MAX_OUTGOING) full.resolve()
    })
    return stream
  })
  await full.promise
  t.strictSame([...new Set(ended)], [http2.constants.NGHTTP2_REFUSED_STREAM])
  const agent = new Agent()
  for (let n = 0; n < 50; n++) t.match(await called(other, 'good', '/echo', {agent}), {status: 200})
  const left = once(open[0] as http2.ClientHttp2Stream, 'close')
  open[0]?.close()
  await left
  const next = session.request({':path': '/v1.0/healthz'})
  const [head] = (await once(next, 'response')) as [http2.IncomingHttpStatusHeader]
  t.equal(head[':status'], 204, 'what has ended makes room')
  t.equal(ended.length, STREAMS - MAX_OUTGOING + 1, 'and the others stay')
  run.signal('SIGTERM')
  session.destroy()
  t.match(await run.exited, {code: 0})
})

t.test('more connections to the gRPC port than descriptors: the log tells that they are closed', async t => {
  const rig = await openRig(t)
  await rig.template([oddApp('odd')])
  const run = rig.start(limited(rig))
  const {grpc} = await run.ports('odd')
  const silence = await beginSilence(grpc, CONNECTIONS)
  await logged(rig, /connections are closed at once/)
  await silence.end()
  t.match(await run.end(), {code: 0})
})

t.test('a run answers its first question although no file can be opened', async t => {
  const rig = await openRig(t)
  await rig.template(['good'].map(oddApp))
  const run = rig.start(limited(rig))
  const {http: port} = await run.ports('good')
  const agent = new Agent({keepAlive: true, maxSockets: 1})
  t.teardown(() => agent.destroy())
  const first = connect(controlSocket(rig))
  await once(first, 'connect')
  // answers of later turns: the run has accepted the connection, and all that a call needs is loaded
  for (let n = 0; n < 3; n++) await called(port, 'good', '/echo', {agent})
  const limit = (files: number): void => {
    execFileSync('prlimit', ['--pid', run.pid.toString(), `--nofile=${files}:`])
  }
  limit(3)
  first.write('GET /api/v1/run HTTP/1.1\r\nHost: run\r\n\r\n')
  const [answer] = (await once(first, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 200 /)
  first.destroy()
  limit(DESCRIPTORS)
  t.match(await rig.run(['ps']), {code: 0, stdout: /^good /m}, 'the next one is answered')
  t.match(await called(port, 'good', '/echo', {agent: new Agent()}), {status: 200})
  t.match(await run.end(), {code: 0})
})

const skip = inDisguise('Pillion opens no terminals on macOS')

t.test('an app with a terminal that a call starts without descriptors is started by the next', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([oddApp('good'), {...oddApp('late'), lazy: true, tty: true, ready: {timeout: '5s'}}])
  const run = rig.start(limited(rig))
  const {http: port} = await run.ports('good')
  const agent = new Agent({keepAlive: true, maxSockets: 1})
  t.teardown(() => agent.destroy())
  for (let n = 0; n < 3; n++) await called(port, 'good', '/echo', {agent})
  const limit = (files: number): void => {
    execFileSync('prlimit', ['--pid', run.pid.toString(), `--nofile=${files}:`])
  }
  limit(3)
  t.match(await called(port, 'late', '/echo', {agent}), {status: 500})
  limit(DESCRIPTORS)
  t.match(await called(port, 'late', '/echo', {agent}), {status: 200})
  t.match(await run.end(), {code: 0})
})
