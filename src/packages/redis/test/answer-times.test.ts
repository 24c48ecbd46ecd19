import {once} from 'node:events'
import {connect, createServer, Socket, type AddressInfo} from 'node:net'
import {Duplex} from 'node:stream'
import {setTimeout as pause} from 'node:timers/promises'
import {Worker} from 'node:worker_threads'
import t, {type Test} from 'tap'
import {ClientConnection} from '../client-connection.ts'
import {RedisEngine} from '../engine/engine.ts'
import {RequestParser} from '../protocol/parser.ts'
import {RedisServer} from '../server.ts'

/** A server behind one that lets answers through, keeps them for later, or one at a time. */
async function openHanging(t: Test) {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  const state: {isHanging: boolean; readonly answers: (() => unknown)[]} = {isHanging: false, answers: []}
  const sockets: Socket[] = []
  const between = createServer(socket => {
    sockets.push(socket)
    const there = connect(server.port, '127.0.0.1')
    for (const each of [socket, there])
      each.on('error', () => undefined).on('close', () => (socket.destroy(), there.destroy()))
    socket.pipe(there)
    there.on('data', bytes => (state.isHanging ? state.answers.push(() => socket.write(bytes)) : socket.write(bytes)))
  })
  await once(between.listen(0, '127.0.0.1'), 'listening')
  t.teardown(async () => {
    between.close()
    await server.close()
  })
  /** It answers again. */
  const go = (): void => {
    state.isHanging = false
    for (const answer of state.answers.splice(0)) answer()
  }
  const end = (): void => {
    between.close()
    for (const socket of sockets) socket.destroy()
  }
  return {state, go, end, address: {host: '127.0.0.1', port: (between.address() as AddressInfo).port}}
}

/** Answers one command after the other, each after a while. */
async function slowServer(t: Test, ms: number): Promise<AddressInfo> {
  const slow = createServer(socket => {
    const parser = new RequestParser()
    let last = Promise.resolve()
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        parser.feed(bytes)
        for (let args = parser.next(); args !== undefined; args = parser.next())
          last = last.then(async () => pause(ms)).then(() => void socket.write('+PONG\r\n'))
      })
  })
  await once(slow.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => slow.close())
  return slow.address() as AddressInfo
}

/** Lets this process do nothing for more than two seconds. */
const holdUp = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100)

t.test('a server that no longer answers is left after the time for an answer, and found again', async t => {
  const {state, go, address} = await openHanging(t)
  const connection = await ClientConnection.open({...address, readTimeoutMs: 1000})
  t.teardown(async () => connection.close())
  const blocked = await connection.duplicate()
  const waiting = blocked.command(['BLPOP', 'list', '0'], new AbortController().signal)
  state.isHanging = true
  await t.rejects(connection.command(['GET', 'a']), {message: 'Redis has not answered for 1000 ms'})
  go()
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  state.isHanging = true
  await t.rejects(connection.transaction([['SET', 'a', '2']]), {message: 'Redis has not answered for 1000 ms'})
  go()
  await connection.command(['RPUSH', 'list', 'x'])
  t.same(await waiting, [Buffer.from('list'), Buffer.from('x')], 'a command that may wait has all the time')
  await blocked.close()
})

t.test('what was sent to a server that is left fails for that reason; to a closed connection, for its own', async t => {
  const {state, address} = await openHanging(t)
  const connection = await ClientConnection.open({...address, readTimeoutMs: 500})
  state.isHanging = true
  const first = connection.command(['GET', 'a'])
  await pause(50)
  const later = [connection.command(['GET', 'b']), connection.transaction([['SET', 'a', '2']])]
  for (const each of [first, ...later]) await t.rejects(each, {message: 'Redis has not answered for 500 ms'})
  const last = t.rejects(connection.command(['GET', 'c']), {message: 'the connection to Redis is closed'})
  await connection.close()
  await last
})

t.test('what was sent after a wait that Redis does not end says that', async t => {
  const {state, address} = await openHanging(t)
  const connection = await ClientConnection.open(address)
  t.teardown(async () => connection.close())
  const leaving = new AbortController()
  const waiting = connection.command(['BLPOP', 'list', '0'], leaving.signal)
  state.isHanging = true
  const others = [connection.command(['GET', 'a']), connection.transaction([['SET', 'a', '2']])]
  leaving.abort(new Error('left'))
  await t.rejects(waiting, {message: 'left'})
  for (const each of others) await t.rejects(each, {message: 'Redis has not ended a wait on the same connection'})
})

t.test('a read that may block is given up after both times', async t => {
  const {state, go, address} = await openHanging(t)
  const connection = await ClientConnection.open({...address, readTimeoutMs: 300})
  t.teardown(async () => connection.close())
  const read = ['XREAD', 'BLOCK', '500', 'STREAMS', 's', '$']
  const {signal} = new AbortController()
  t.equal(await connection.command(read, signal), null)
  state.isHanging = true
  await t.rejects(connection.command(read, signal), {message: 'Redis has not answered for 800 ms'})
  go()
  t.equal(await connection.command(read, signal), null)
})

t.test('a server that answers slowly, but answers, is not left', async t => {
  const {port} = await slowServer(t, 150)
  const connection = await ClientConnection.open({host: '127.0.0.1', port, readTimeoutMs: 1000})
  t.teardown(async () => connection.close())
  const replies = await Promise.all(Array.from({length: 10}, async () => connection.command(['ECHO', 'x'])))
  t.equal(replies.length, 10)
})

t.test('a first answer that came in time is one, though this process was held up before it read it', async t => {
  const code = `const {createServer} = require('node:net'), {parentPort} = require('node:worker_threads')
    const answer = bytes => '+PONG\\r\\n'.repeat(String(bytes).split('*').length - 1)
    const server = createServer(socket => socket.on('error', () => {}).on('data', bytes => socket.write(answer(bytes))))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const other = new Worker(code, {eval: true})
  t.teardown(async () => other.terminate())
  const [port] = (await once(other, 'message')) as [number]
  t.intercept(Socket.prototype, 'write', {
    value(this: Socket, ...args: Parameters<Duplex['write']>) {
      if (String(args[0]).includes('PING')) setImmediate(holdUp)
      return Duplex.prototype.write.apply(this, args)
    }
  })
  const connection = await ClientConnection.open({host: '127.0.0.1', port, readTimeoutMs: 2000})
  await connection.close()
})

t.test('there may be no end of the time for an answer', async t => {
  const {state, go, address} = await openHanging(t)
  const connection = await ClientConnection.open({...address, readTimeoutMs: Infinity})
  t.teardown(async () => connection.close())
  state.isHanging = true
  const answer = connection.command(['ECHO', 'x'])
  setTimeout(go, 100)
  t.same(await answer, Buffer.from('x'))
})

t.test('a server that dies while it does not answer is lost', async t => {
  const {state, end, address} = await openHanging(t)
  const lost = Promise.withResolvers<string>()
  const listener = {lost: (reason: string) => lost.resolve(reason), back: () => undefined}
  const connection = await ClientConnection.open({...address, readTimeoutMs: 200}, listener)
  t.teardown(async () => connection.close())
  state.isHanging = true
  await t.rejects(connection.command(['GET', 'a']), {message: 'Redis has not answered for 200 ms'})
  end()
  t.match(await lost.promise, /closed|ECONN/)
})
