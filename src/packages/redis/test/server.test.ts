import {once} from 'node:events'
import {connect} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {RedisEngine} from '../engine/engine.ts'
import {identify} from '../identify.ts'
import {RedisServer} from '../server.ts'
import {answerAfterAll} from '../../../../test/rig/early-answer.ts'
import {request, respClient} from '../../../../test/rig/resp.ts'

async function serve(
  t: Test
): Promise<{readonly port: number; readonly server: RedisServer; readonly engine: RedisEngine}> {
  const server = await RedisServer.bind(0)
  const engine = new RedisEngine()
  server.serve(engine)
  t.teardown(async () => {
    engine.close()
    await server.close()
  })
  return {port: server.port, server, engine}
}

/** Everything that a connection answers to these bytes until it is closed. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', chunk => (text += chunk.toString('latin1'))).on('error', () => {})
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}

t.test('bytes that are no request get an error, and the connection is closed', async t => {
  const {port} = await serve(t)
  t.equal(await answerTo(port, '*1\r\nhello\r\n'), "-ERR Protocol error: expected '$', got 'h'\r\n")
  t.equal(
    await answerTo(port, 'PING\r\n*9999999999999\r\n'),
    '+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n'
  )
  t.equal(await answerTo(port, 'x'.repeat(70_000)), '-ERR Protocol error: too big inline request\r\n')
  t.equal(await answerTo(port, `${request(['QUIT'])}${request(['PING'])}`), '+OK\r\n')
})

t.test('who sends all before reading gets the whole error', async t => {
  const {port: to} = await serve(t)
  t.match(await answerAfterAll({to, head: '*1\r\nhello', framing: 'length'}), /^-ERR Protocol error: .*\r\n$/)
})

t.test('a page in a browser cannot send commands', async t => {
  const {port, engine} = await serve(t)
  const post = 'POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET evil 1\r\n'
  t.equal(await answerTo(port, post), '')
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET evil 1\r\n'
  t.notMatch(await answerTo(port, get), '+OK', 'its first line is a command with wrong arguments, and may be answered')
  t.equal(engine.database(0).size, 0)
})

t.test('a pipeline is answered in order, also behind a command that waits', async t => {
  const {port} = await serve(t)
  const [first, second] = [await respClient(port), await respClient(port)]
  first.write(PIPELINE.map(request).join(''))
  t.equal(await first.next(), '+OK')
  t.equal(await first.next(), '"1"')
  t.equal(await second.call('RPUSH', 'list', 'x'), ':1')
  t.equal(await first.next(), '["list" "x"]')
  t.equal(await first.next(), '+PONG')
  first.close()
  second.close()
})
const PIPELINE = [['SET', 'a', '1'], ['GET', 'a'], ['BLPOP', 'list', '0'], ['PING']]

t.test('what a client that has gone was waiting for goes to another one', async t => {
  const {port} = await serve(t)
  const [gone, reader] = [await respClient(port), await respClient(port)]
  await reader.call('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
  gone.send(['XREADGROUP', 'GROUP', 'g', 'gone', 'BLOCK', '0', 'STREAMS', 's', '>'])
  while (!(await reader.call('INFO', 'clients')).includes('blocked_clients:1'));
  gone.close()
  while (!(await reader.call('INFO', 'clients')).includes('blocked_clients:0'));
  await reader.call('XADD', 's', '1-0', 'data', 'x')
  t.equal(await reader.call('XREADGROUP', 'GROUP', 'g', 'here', 'STREAMS', 's', '>'), '[["s" [["1-0" ["data" "x"]]]]]')
  reader.close()
})

t.test('what a client was waiting for as it left stays, also if it comes right behind its end', async t => {
  const {port} = await serve(t)
  const other = await respClient(port)
  for (let turns = 0; turns < 20; turns++) {
    const leaving = await respClient(port)
    leaving.send(['BLPOP', 'list', '0'])
    while (!(await other.call('INFO', 'clients')).includes('blocked_clients:1'));
    // both arrive before the server looks again
    leaving.socket.end(() => other.send(['RPUSH', 'list', 'x']))
    t.equal(await other.next(), ':1')
    t.equal(await other.call('LPOP', 'list'), '"x"')
    leaving.close()
  }
  other.close()
})

t.test('a client that is killed takes nothing any more', async t => {
  const {port} = await serve(t)
  const [killed, other] = [await respClient(port), await respClient(port)]
  const id = (await killed.call('CLIENT', 'ID')).slice(1)
  killed.send(['BLPOP', 'list', '0'])
  while (!(await other.call('INFO', 'clients')).includes('blocked_clients:1'));
  other.write(
    [
      ['CLIENT', 'KILL', 'ID', id],
      ['RPUSH', 'list', 'x'],
      ['LPOP', 'list']
    ]
      .map(request)
      .join('')
  )
  t.equal(await other.next(), ':1')
  t.equal(await other.next(), ':1')
  t.equal(await other.next(), '"x"')
  const own = (await other.call('CLIENT', 'ID')).slice(1)
  other.write(
    [
      ['CLIENT', 'KILL', 'ID', own, 'SKIPME', 'no'],
      ['SET', 'a', '1']
    ]
      .map(request)
      .join('')
  )
  t.equal(await other.next(), ':1', 'it is told, and runs no more')
  await t.rejects(other.next(), /has ended; left: ""/)
  const last = await respClient(port)
  t.equal(await last.call('EXISTS', 'a'), ':0')
  last.close()
})

t.test('a client that does not read its answers holds up only itself', async t => {
  const {port} = await serve(t)
  const [deaf, other] = [await respClient(port), await respClient(port)]
  await other.call('SET', 'large', 'x'.repeat(1024 * 1024))
  deaf.socket.pause()
  const before = process.memoryUsage().rss
  deaf.write(request(['GET', 'large']).repeat(2000)) // answers of 2 GB
  for (let at = 0; at < 200; at++) t.equal(await other.call('PING'), '+PONG')
  t.ok(process.memoryUsage().rss - before < 300 * 1024 * 1024, 'memory is bounded')
  deaf.close()
  other.close()
})

t.test('a program that sends a long pipeline before it reads gets all answers', async t => {
  const {port} = await serve(t)
  const socket = connect(port, '127.0.0.1').pause()
  t.teardown(() => socket.destroy())
  const count = 24 * 1024
  await new Promise(resolve => socket.write(request(['ECHO', 'x'.repeat(1024)]).repeat(count), resolve))
  const sizes: number[] = []
  const sum = (): number => sizes.reduce((all, each) => all + each, 0)
  socket.on('data', ({length}) => sizes.push(length)).resume()
  while (sum() < count * ('$1024\r\n\r\n'.length + 1024)) await once(socket, 'data')
  t.equal(sum(), count * ('$1024\r\n\r\n'.length + 1024))
})

t.test('who ends a long pipeline with QUIT, and reads late, gets all answers', async t => {
  const {port, engine} = await serve(t)
  const socket = connect(port, '127.0.0.1').pause()
  t.teardown(() => socket.destroy())
  const count = 24 * 1024
  const pipeline = request(['ECHO', 'x'.repeat(1024)]).repeat(count) + request(['QUIT'])
  await new Promise(resolve => socket.write(pipeline, resolve))
  await pause(1500)
  let sum = 0
  socket.on('data', ({length}) => (sum += length)).on('error', () => undefined)
  await once(socket.resume(), 'close')
  t.equal(sum, count * ('$1024\r\n\r\n'.length + 1024) + '+OK\r\n'.length)
  t.equal(engine.sessions.size, 0)
})

t.test('a subscriber that does not read is cut off', async t => {
  const {port, engine} = await serve(t)
  const [deaf, other] = [await respClient(port), await respClient(port)]
  await deaf.call('SUBSCRIBE', 'news')
  deaf.socket.pause()
  const message = 'x'.repeat(1024 * 1024)
  let receivers = ':1'
  let sent = 0
  for (; receivers === ':1' && sent < 200; sent++) receivers = await other.call('PUBLISH', 'news', message)
  t.equal(receivers, ':0')
  t.ok(sent > 30 && sent < 100, sent.toString())
  t.equal(engine.sessions.size, 1)
  deaf.close()
  other.close()
})

t.test('half a request is no harm, and waits for the rest', async t => {
  const {port} = await serve(t)
  const client = await respClient(port)
  const bytes = request(['SET', 'a', 'b'])
  client.write(bytes.slice(0, 12))
  const other = await respClient(port)
  t.equal(await other.call('GET', 'a'), 'nil')
  client.write(bytes.slice(12))
  t.equal(await client.next(), '+OK')
  client.close()
  other.close()
})

t.test('both loopback addresses answer; no other does', async t => {
  const {port} = await serve(t)
  for (const host of ['127.0.0.1', '::1']) {
    const client = await respClient(port, host).catch(() => undefined)
    if (client !== undefined) t.equal(await client.call('PING'), '+PONG', host)
    client?.close()
  }
  await t.rejects(respClient(port, '127.0.0.2'), {code: 'ECONNREFUSED'})
})

t.test('a taken port is an error that says so', async t => {
  const {port} = await serve(t)
  await t.rejects(RedisServer.bind(port), {
    name: 'UserError',
    message: `Redis cannot listen on port ${port}: another process listens there`
  })
})

t.test('closing writes what was answered, ends all connections and frees the port', async t => {
  const {port, server, engine} = await serve(t)
  const [client, waiting] = [await respClient(port), await respClient(port)]
  waiting.send(['BLPOP', 'list', '0'])
  t.equal(await client.call('SET', 'a', '1'), '+OK')
  engine.close()
  await server.close()
  await t.rejects(client.next(), /ended/)
  await t.rejects(waiting.next(), /ended/)
  const again = await RedisServer.bind(port)
  await again.close()
})

t.test('what a client has sent before it left is run, and answered if it still reads', async t => {
  const {port, engine} = await serve(t)
  const other = await respClient(port)
  await other.call('SET', 'large', 'x'.repeat(1024 * 1024))
  const all = `${request(['GET', 'large']).repeat(100)}${request(['INCR', 'done'])}`
  const socket = connect({port, host: '127.0.0.1', allowHalfOpen: true})
  let last = ''
  socket.write(all)
  socket.end()
  await once(socket, 'finish')
  while (engine.sessions.size < 2) await other.call('PING')
  for (let n = 0; n < 100; n++) await other.call('PING')
  socket.on('data', chunk => (last = last.slice(-20) + chunk.toString('latin1').slice(-20)))
  await once(socket, 'close')
  t.match(last, /:1\r\n$/)
  t.equal(await other.call('GET', 'done'), '"1"')
  const deaf = await respClient(port)
  deaf.socket.pause()
  deaf.write(all)
  while (!(await other.call('CLIENT', 'LIST')).includes('cmd=get')) await new Promise(setImmediate)
  for (let n = 0; n < 100; n++) await other.call('PING')
  deaf.close()
  while (engine.sessions.size > 1) await new Promise(setImmediate)
  t.equal(await other.call('GET', 'done'), '"2"')
  other.close()
})

t.test('a client that may be of another copy keeps its first request, and the end of the server closes it', async t => {
  const server = await RedisServer.bind(0)
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const early = await respClient(server.port)
  const routes = [Promise.withResolvers<() => void>(), Promise.withResolvers<() => void>()] as const
  let clients = 0
  server.serve(engine, (_, serve) => routes[clients++ === 0 ? 0 : 1].resolve(serve))
  const answer = early.call('PING')
  const serve = await routes[0].promise
  t.same(await identify(server.port), {kind: 'built-in', space: ''}, 'a look-up of a process is not waited for')
  const other = connect(server.port, '127.0.0.1').on('error', () => {})
  const closed = once(other, 'close')
  other.write('PING\r\n')
  await routes[1].promise
  serve()
  t.equal(await answer, '+PONG')
  await server.close()
  await closed
})
