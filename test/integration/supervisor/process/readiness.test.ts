import {once} from 'node:events'
import {connect, createServer, type Server} from 'node:net'
import {test} from 'tap'
import {freePort} from '../../../rig/free-port.ts'
import {isItsOwnPeer} from '../../../../src/platform/probe.ts'
import type {ChannelPlan} from '../../../../src/model/plan.ts'
import {planOf} from '../../../rig/plan.ts'
import {fixture, quietly, Scene, script} from './scene.ts'

const listening = async (host = '127.0.0.1', port = 0): Promise<Server> => {
  const server = createServer(socket => socket.on('error', () => undefined).destroy()).listen(port, host)
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const close = async (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))

const channelAt = (port: number, wishes: Partial<ChannelPlan> = {}): ChannelPlan => ({
  ...planOf().channel,
  port,
  ...wishes
})
const tcp = (port: number, timeoutMs = 60_000) => ({kind: 'tcp', port, timeoutMs}) as const

test('an app is ready when its port accepts connections, not before', async t => {
  const port = await freePort()
  const code = `process.once('SIGUSR2', () => require('net').createServer().listen(${port}, '127.0.0.1')); console.log('waits', process.pid)`
  const command = [process.execPath, '-e', `${code}; setInterval(() => undefined, 1000)`]
  const {app, witness} = new Scene(t).app({command, channel: channelAt(port), ready: tcp(port)})
  await app.start()
  const [, pid] = await witness.seen(/waits (\d+)/)
  await quietly(100)
  t.equal(app.state.phase, 'starting')
  process.kill(Number(pid), 'SIGUSR2')
  await witness.ready()
  t.match(witness.phases, ['starting', 'running'])
  t.equal(witness.notes.length, 0)
})

test('an app that listens on ::1 alone is ready', async t => {
  const port = await freePort()
  const command = fixture('listen.mjs', '::1', port.toString())
  const {app, witness} = new Scene(t).app({command, channel: channelAt(port), ready: tcp(port)})
  await app.start()
  await witness.ready()
  t.match(app.state, {phase: 'running', ready: true})
})

test('readiness may look at another port than the calls', async t => {
  const port = await freePort()
  const command = fixture('listen.mjs', '127.0.0.1', port.toString())
  const {app, witness} = new Scene(t).app({command, channel: channelAt(0), ready: tcp(port)})
  await app.start()
  await witness.ready()
  t.match(app.state, {ready: true})
})

test('an http probe takes a status of 2xx or 3xx', async t => {
  const port = await freePort()
  const command = fixture('listen.mjs', '127.0.0.1', port.toString(), '0', '302')
  const ready = {kind: 'http', path: '/health?deep=1', timeoutMs: 60_000} as const
  const {app, witness} = new Scene(t).app({command, channel: channelAt(port), ready})
  await app.start()
  await witness.ready()
  t.match(app.state, {ready: true})
})

test('an http probe takes no other status, and says after the timeout what it tried', async t => {
  const port = await freePort()
  const command = fixture('listen.mjs', '127.0.0.1', port.toString(), '0', '503')
  const ready = {kind: 'http', path: '/health', timeoutMs: 300} as const
  const {app, witness} = new Scene(t).app({command, channel: channelAt(port), ready})
  await app.start()
  await witness.until('a note', () => witness.notes.length > 0)
  const tried = `GET http://127.0.0.1:${port}/health or http://[::1]:${port}/health`
  t.same(witness.notes, [{type: 'not-ready', timeoutMs: 300, tried}])
  t.equal(app.state.phase, 'starting', 'it is not killed')
})

test('a log probe waits for a line, without its colours, as UTF-8', async t => {
  const ready = {kind: 'log', pattern: '^bereit für \\d+ Anfragen$', timeoutMs: 60_000} as const
  const command = script(
    `echo 'bereit für Anfragen'; printf 'bereit für 1' >&2; sleep 0.2; printf '2 \\033[32mAnfragen\\033[0m\\r\\n' >&2; sleep 1000`
  )
  const {app, witness} = new Scene(t).app({command, ready})
  await app.start()
  await witness.ready()
  t.match(app.state, {ready: true})
  t.match(witness.text.stderr, /Anfragen/, 'the line on stdout did not match')
})

test('an app that ends before it is ready was never ready', async t => {
  const port = await freePort()
  const {app, witness} = new Scene(t).app({command: ['false'], channel: channelAt(port), ready: tcp(port)})
  await app.start()
  await app.ended
  t.same(witness.phases, ['starting', 'exited'])
})

test('a refused call makes an app unready until its port answers again', async t => {
  const port = await freePort()
  // stops listening for half a second when it is told to
  const code = `const {createServer} = require('net'); const server = createServer().listen(${port}, '127.0.0.1')
    process.on('SIGUSR2', () => { server.close(() => { console.log('closed'); setTimeout(() => server.listen(${port}, '127.0.0.1'), 500) }) })`
  const {app, witness} = new Scene(t).app({
    command: [process.execPath, '-e', code],
    channel: channelAt(port),
    ready: tcp(port)
  })
  await app.start()
  await witness.ready()
  const {state} = app
  if (state.phase !== 'running' || state.pid === undefined) throw new Error('it runs')
  process.kill(state.pid, 'SIGUSR2')
  await witness.seen(/closed/)
  app.recheck()
  app.recheck()
  await witness.ready(2)
  t.same(
    witness.states.slice(1).map(seen => 'ready' in seen && seen.ready),
    [true, false, true]
  )
})

test('a recheck changes nothing where there is no port to look at', async t => {
  const {app, witness} = new Scene(t).app({command: script('sleep 1000')})
  app.recheck()
  await app.start()
  await witness.ready()
  app.recheck()
  t.match(app.state, {ready: true})
})

test('a stranger on the port is named, and does not make the app ready', async t => {
  const foreignListener = await listening()
  t.teardown(async () => close(foreignListener))
  const port = portOf(foreignListener)
  const {app, witness} = new Scene(t).app({
    command: script('sleep 1000'),
    channel: channelAt(port),
    ready: tcp(port, 400)
  })
  await app.start()
  t.match(witness.notes[0], {
    type: 'port-taken',
    port,
    owner: {pid: process.pid, command: /readiness\.test|worker\.ts/}
  })
  await witness.until('the timeout', () => witness.notes.length > 1)
  t.equal(app.state.phase, 'starting')
})

test('nor does a stranger on the port that ready names', async t => {
  const foreignListener = await listening()
  t.teardown(async () => close(foreignListener))
  const port = portOf(foreignListener)
  const {app, witness} = new Scene(t).app({
    command: script('sleep 1000'),
    channel: channelAt(await freePort()),
    ready: tcp(port, 400)
  })
  await app.start()
  t.match(witness.notes, [{type: 'port-taken', port, isCalled: false}])
  await witness.until('the timeout', () => witness.notes.length > 1)
  t.equal(app.state.phase, 'starting')
})

test('nor one that has come while the app slept', async t => {
  const port = await freePort()
  const {app, witness} = new Scene(t).app({
    command: script('sleep 1000'),
    channel: channelAt(port),
    ready: tcp(port, 400)
  })
  await app.start()
  app.sleep()
  await witness.phase('asleep')
  const foreignListener = await listening('127.0.0.1', port)
  t.teardown(async () => close(foreignListener))
  await app.start()
  t.match(witness.notes, [{type: 'port-taken', port, isCalled: true}])
  await witness.until('the timeout', () => witness.notes.length > 1)
  t.equal(app.state.phase, 'starting')
})

test('nor one that a debugger has left on an allocated port', async t => {
  const foreignListener = await listening()
  t.teardown(async () => close(foreignListener))
  const port = portOf(foreignListener)
  const plan = {command: script('sleep 1000'), channel: channelAt(port, {autoPort: true}), ready: tcp(port, 400)}
  const {app, witness} = new Scene(t).app(plan, {begunBy: 'user'})
  await app.start()
  t.match(witness.notes, [{type: 'port-taken', port, isCalled: true}])
  await witness.until('the timeout', () => witness.notes.length > 1)
  t.equal(app.state.phase, 'starting')
})

test('when the stranger has left, the app is ready as soon as it listens', async t => {
  const foreignListener = await listening()
  const port = portOf(foreignListener)
  const code = `const {createServer} = require('http'), server = createServer()
    server.on('error', () => { console.log('taken'); setTimeout(() => server.listen(${port}, '127.0.0.1'), 20) })
    server.listen(${port}, '127.0.0.1')`
  const {app, witness} = new Scene(t).app({
    command: [process.execPath, '-e', code],
    channel: channelAt(port),
    ready: tcp(port)
  })
  await app.start()
  await witness.seen(/taken/)
  t.equal(app.state.phase, 'starting')
  await close(foreignListener)
  await witness.ready()
  t.match(app.state, {ready: true})
})

test('beside a stranger on ::1 the app is ready when it listens on 127.0.0.1 itself', async t => {
  const foreignListener = await listening('::1', await freePort())
  t.teardown(async () => close(foreignListener))
  const port = portOf(foreignListener)
  const command = fixture('listen.mjs', '127.0.0.1', port.toString())
  const {app, witness} = new Scene(t).app({command, channel: channelAt(port), ready: tcp(port)})
  await app.start()
  t.equal(witness.notes.length, 1)
  await witness.ready()
  t.match(app.state, {ready: true})
})

test('a port that we allocated is not looked at before the spawn', async t => {
  const holder = await listening()
  t.teardown(async () => close(holder))
  const port = portOf(holder)
  const channel = channelAt(port, {autoPort: true})
  const {app, witness} = new Scene(t).app({command: script('sleep 1000'), channel, ready: tcp(port)})
  await app.start()
  await witness.ready()
  t.same(witness.notes, [])
})

test('a connection with itself is told from one with an app', async t => {
  const port = await freePort()
  const own = connect({host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: port})
  await once(own, 'connect')
  t.ok(isItsOwnPeer(own))
  own.resetAndDestroy()
  const server = await listening()
  t.teardown(async () => close(server))
  const other = connect({host: '127.0.0.1', port: portOf(server)})
  await once(other, 'connect')
  t.notOk(isItsOwnPeer(other))
  other.destroy()
})
