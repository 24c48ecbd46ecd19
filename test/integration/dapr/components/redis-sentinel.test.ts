import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {connectBySentinels} from '../../../../src/dapr/components/redis/sentinel-redis.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {Blocked, RedisError} from '../../../../src/packages/redis/engine/result.ts'
import {RequestParser} from '../../../../src/packages/redis/protocol/parser.ts'
import {encodeResult} from '../../../../src/packages/redis/protocol/writer.ts'
import {RedisServer} from '../../../../src/packages/redis/server.ts'

const openMaster = async (): Promise<RedisServer> => {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  return server
}

t.test('a master that is gone while the connections move to it is left, too', async t => {
  const masters = [await openMaster(), await openMaster(), await openMaster()] as const
  const [first, second, third] = masters
  t.teardown(async () => Promise.all(masters.map(async each => each.close())))
  let master = first.port
  let questions = 0
  // the duplicate asks after the second master once that is gone
  const answering = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const sentinel = net.createServer(socket => {
    const parser = new RequestParser()
    const answer = async (name = ''): Promise<void> => {
      if (name === 'SENTINEL' && ++questions === 4) {
        asked.resolve()
        await answering.promise
      }
      const address = ['127.0.0.1', master.toString()]
      socket.write(encodeResult(name === 'SENTINEL' ? address : name === 'PING' ? 'PONG' : 'OK', 2), 'latin1')
    }
    socket.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      for (let args = parser.next(); args !== undefined; args = parser.next()) void answer(args[0])
    })
  })
  await once(sentinel.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => sentinel.close())
  const {port} = sentinel.address() as AddressInfo
  const redis = await connectBySentinels({host: '127.0.0.1', port}, {master: 'mine'})
  t.teardown(async () => redis.close())
  const other = await redis.duplicate()
  t.equal(questions, 2)
  master = second.port
  await first.close()
  await asked.promise
  await second.close()
  // the connection hears of it
  for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate)
  master = third.port
  answering.resolve()
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  t.same(await other.command(['GET', 'a']), Buffer.from('1'))
})

/** A sentinel that always names this one. */
const sentinelOf = async (
  t: Test,
  master: {readonly port: number}
): Promise<{readonly host: string; readonly port: number}> => {
  const sentinel = net.createServer(socket => {
    const parser = new RequestParser()
    socket.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      for (let args = parser.next(); args !== undefined; args = parser.next()) {
        const answer =
          args[0] === 'SENTINEL' ? ['127.0.0.1', master.port.toString()] : args[0] === 'PING' ? 'PONG' : 'OK'
        socket.write(encodeResult(answer, 2), 'latin1')
      }
    })
  })
  await once(sentinel.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => sentinel.close())
  return {host: '127.0.0.1', port: (sentinel.address() as AddressInfo).port}
}

t.test('a master that does not say what it is is left', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  engine.run = (session, args) => (args[0] === 'ROLE' ? new RedisError('NOPERM') : run(session, args))
  const master = await RedisServer.bind(0)
  master.serve(engine)
  t.teardown(async () => master.close())
  const address = await sentinelOf(t, master)
  for (let n = 0; n < 3; n++) await t.rejects(connectBySentinels(address, {master: 'mine'}), {message: 'NOPERM'})
  for (let turns = 0; turns < 1000 && engine.sessions.size > 0; turns++) await new Promise(setImmediate)
  t.equal(engine.sessions.size, 0)
})

t.test('a master that breaks off before it says what it is is left, also by the search for its successor', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let questions = 0
  engine.run = (session, args) => {
    if (args[0] !== 'ROLE' || questions++ > 0) return run(session, args)
    setImmediate(() => session.onKill())
    return new Blocked([], 0, () => undefined)
  }
  const master = await RedisServer.bind(0)
  master.serve(engine)
  t.teardown(async () => master.close())
  await t.rejects(connectBySentinels(await sentinelOf(t, master), {master: 'mine'}))
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal(engine.sessions.size, 0)
})

t.test('a master that breaks off as the connection is opened is left', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let isBreaking = true
  engine.run = (session, args) => {
    if (args[0] !== 'PING' || !isBreaking) return run(session, args)
    session.onKill()
    return new Blocked([], 0, () => undefined)
  }
  const master = await RedisServer.bind(0)
  master.serve(engine)
  t.teardown(async () => master.close())
  const address = await sentinelOf(t, master)
  await t.rejects(connectBySentinels(address, {master: 'mine'}))
  isBreaking = false
  const redis = await connectBySentinels(address, {master: 'mine'})
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  await redis.close()
})

t.test('the successor gets no command that the former master may have run', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let waiting: Promise<unknown> | undefined
  const first = await RedisServer.bind(0)
  const second = await openMaster()
  t.teardown(async () => Promise.all([first.close(), second.close()]))
  const named = {port: first.port}
  engine.run = (session, args) => {
    const result = run(session, args)
    if (args[0] !== 'RPUSH') return result
    named.port = second.port
    session.onKill()
    return new Blocked([], 0, () => undefined)
  }
  first.serve(engine)
  const redis = await connectBySentinels(await sentinelOf(t, named), {master: 'mine'})
  t.teardown(async () => redis.close())
  await redis.command(['SET', 'a', '1'])
  const pushed = redis.command(['RPUSH', 'list', 'x'])
  pushed.catch(() => (waiting = redis.command(['SET', 'a', '2'])))
  await t.rejects(pushed, 'it may have been run')
  t.equal(await waiting, 'OK', 'the next one waits for the successor')
  t.equal(await redis.command(['LLEN', 'list']), 0)
})

t.test('a master that no longer answers is left for its successor', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let isHanging = false
  engine.run = (session, args) => (isHanging ? new Blocked([], 0, () => undefined) : run(session, args))
  const first = await RedisServer.bind(0)
  first.serve(engine)
  const second = await openMaster()
  t.teardown(async () => Promise.all([first.close(), second.close()]))
  const named = {port: first.port}
  const redis = await connectBySentinels({...(await sentinelOf(t, named)), readTimeoutMs: 1000}, {master: 'mine'})
  t.teardown(async () => redis.close())
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  isHanging = true
  named.port = second.port
  await t.rejects(redis.command(['SET', 'a', '2']), /has not answered for 1000 ms/)
  t.equal(await redis.command(['SET', 'a', '2']), 'OK')
  t.same(await redis.command(['GET', 'a']), Buffer.from('2'))
})
