import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {FaultPlan} from '../../../../src/model/fault.ts'
import {Faults} from '../../../../src/proxy/faults/faults.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {BytesCall} from '../../../../src/proxy/published/bytes-call.ts'

const nothing = (): void => undefined

const listen = async (t: Test, serve: (socket: net.Socket) => void): Promise<number> => {
  const server = net.createServer({allowHalfOpen: true}, serve)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A port at which nothing listens. */
const closedPort = async (): Promise<number> => {
  const server = net.createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Who calls a database that greets and repeats, through a port with this fault. Each pid that is killed ends its connections. */
const callUnder = async (t: Test, fault: Pick<FaultPlan, 'kind' | 'cutAfter'>): Promise<string> => {
  const atApp: net.Socket[] = []
  const appPort = await listen(t, socket => {
    atApp.push(socket.on('error', nothing))
    socket.write('hello ')
    socket.pipe(socket)
  })
  const faults = new Faults({tell: nothing, kill: pid => void (pid === 7 && atApp.forEach(each => each.destroy()))})
  const any = {from: 'any', to: 'any', actor: '', method: '', path: ''}
  const always = {delayMs: 0, jitterMs: 0, status: 0, body: '', rate: 1, seed: 1, times: Infinity, forMs: Infinity}
  faults.add({...any, ...always, ...fault})
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
  const context = {
    heldBodies: new HeldBodies(),
    faults: {active: faults},
    callee: 'db',
    admit: () => ({ok: true, pool, pid: 7, isLocal: true, token: '', pathPrefix: '', leave: nothing}) as const,
    isOpen: () => true,
    lastLines: () => [],
    warn: (text: string) => void t.fail(text)
  }
  const port = await listen(t, socket => new BytesCall(context, 'web', socket, Buffer.alloc(0)).start())
  const caller = net.connect(port, '127.0.0.1')
  let got = ''
  caller.on('error', nothing).on('data', (bytes: Buffer) => {
    got += bytes.toString()
    if (got === 'hello ') caller.write('world')
    if (got === 'hello world') caller.end()
  })
  await new Promise(resolve => caller.on('close', resolve)) // `once` would fail with a reset
  return got
}

t.test('a connection that passes as bytes breaks off where a fault cuts it', async t => {
  t.equal(await callUnder(t, {kind: 'cut', cutAfter: 8}), 'hello wo')
  t.equal(await callUnder(t, {kind: 'cut', cutAfter: 3}), 'hel')
  t.equal(await callUnder(t, {kind: 'cut', cutAfter: 11}), 'hello world', 'what is shorter arrives whole')
})

t.test('the app at its other end is killed by a fault', async t => {
  t.not(await callUnder(t, {kind: 'kill', cutAfter: 0}), 'hello world')
})

t.test('an app that refuses is asked for again, whatever is wrong with its next address', async t => {
  const appPort = await closedPort()
  const asked: boolean[] = []
  const context = {
    heldBodies: new HeldBodies(),
    callee: 'db',
    admit: (_: unknown, isRefused: boolean) => {
      asked.push(isRefused)
      if (isRefused) return {ok: false, status: 500, error: 'it starts'} as const
      const pool = new Pool({hosts: ['127.0.0.1', '255.255.255.255'], port: appPort})
      return {ok: true, pool, isLocal: true, token: '', pathPrefix: '', leave: nothing} as const
    },
    isOpen: () => true,
    lastLines: () => [],
    warn: (text: string) => void t.fail(text)
  }
  const port = await listen(t, socket => new BytesCall(context, 'web', socket, Buffer.alloc(0)).start())
  const caller = net.connect(port, '127.0.0.1')
  await new Promise(resolve => caller.on('error', nothing).on('close', resolve))
  t.strictSame(asked, [false, true])
})

t.test('what the app has said before it ended its connection arrives, although a write to it fails first', async t => {
  let caller: net.Socket | undefined
  const appPort = await listen(t, socket => {
    socket.on('error', nothing).once('data', () => {
      // what is ready first is read first: what the caller says is written to a connection that is gone
      caller?.write('more')
      socket.write('last words')
      socket.resetAndDestroy()
    })
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
  const context = {
    heldBodies: new HeldBodies(),
    callee: 'db',
    admit: () => ({ok: true, pool, isLocal: true, token: '', pathPrefix: '', leave: nothing}) as const,
    isOpen: () => true,
    lastLines: () => [],
    warn: (text: string) => void t.fail(text)
  }
  const port = await listen(t, socket => new BytesCall(context, 'web', socket, Buffer.alloc(0)).start())
  caller = net.connect(port, '127.0.0.1')
  let got = ''
  caller.on('error', nothing).on('data', (bytes: Buffer) => (got += bytes.toString()))
  caller.write('first')
  await new Promise(resolve => caller.on('close', resolve))
  t.equal(got, 'last words')
})
