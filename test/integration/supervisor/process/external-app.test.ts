import {once} from 'node:events'
import {createServer, type Server} from 'node:net'
import {test, type Test} from 'tap'
import {freePort} from '../../../rig/free-port.ts'
import {ExternalApp} from '../../../../src/supervisor/process/external-app.ts'
import {planOf} from '../../../rig/plan.ts'
import {quietly, Witness} from './scene.ts'

const listen = async (port = 0): Promise<{server: Server; port: number}> => {
  const server = createServer(socket => socket.on('error', () => undefined).destroy()).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {server, port: typeof address === 'object' && address !== null ? address.port : 0}
}

const close = async (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))

const listenerOn = (t: Test, port: number): {listener: ExternalApp; witness: Witness} => {
  const witness = new Witness()
  const plan = planOf({channel: {...planOf().channel, port}, ready: {kind: 'tcp', port, timeoutMs: 60_000}})
  const listener = new ExternalApp(plan, port, witness.moved)
  t.teardown(async () => listener.stop('run ends'))
  return {listener, witness}
}

test('a sidecar without a program follows its port: ready, not ready, ready again', async t => {
  const port = await freePort()
  const {listener, witness} = listenerOn(t, port)
  await listener.start()
  await quietly(30)
  t.same(witness.states, [{phase: 'starting', pid: undefined}])
  const second = await listen(port)
  await witness.ready()
  await close(second.server)
  await witness.until('not ready', () => witness.states.length === 3)
  const third = await listen(port)
  await witness.ready(2)
  await close(third.server)
  t.same(
    witness.states.slice(1).map(state => 'ready' in state && state.ready),
    [true, false, true]
  )
})

test('while it is ready nobody connects to it', async t => {
  const {server, port} = await listen()
  t.teardown(async () => close(server))
  let connections = 0
  server.on('connection', () => connections++)
  const {listener, witness} = listenerOn(t, port)
  await listener.start()
  await witness.ready()
  await quietly(700)
  t.equal(connections, 1)
})

test('a refused call makes it unready at once', async t => {
  const {server, port} = await listen()
  const {listener, witness} = listenerOn(t, port)
  await listener.start()
  await witness.ready()
  await close(server)
  listener.recheck()
  t.match(listener.state, {phase: 'running', ready: false})
})

test('without a port it is ready from the start, and stays so', async t => {
  const {listener, witness} = listenerOn(t, 0)
  await listener.start()
  await witness.ready()
  listener.recheck()
  t.match(listener.state, {phase: 'running', pid: undefined, ready: true})
})

test('it ends when it is asked to, also before its start', async t => {
  const {listener, witness} = listenerOn(t, 0)
  await listener.start()
  await witness.ready()
  await listener.stop('user')
  t.same(await listener.ended, {phase: 'exited', exit: undefined, asked: true})
  const other = listenerOn(t, 0)
  await other.listener.stop('user')
  t.same(other.witness.phases, ['exited'])
})
