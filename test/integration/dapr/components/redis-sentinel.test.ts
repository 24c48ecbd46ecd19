import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {openMasters} from '../../../../src/packages/redis/masters-connection.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {Blocked, type Result} from '../../../../src/packages/redis/engine/result.ts'
import {RequestParser} from '../../../../src/packages/redis/protocol/parser.ts'
import {encodeResult} from '../../../../src/packages/redis/protocol/writer.ts'
import {RedisServer} from '../../../../src/packages/redis/server.ts'

const openMaster = async (): Promise<RedisServer> => {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  return server
}

/** A sentinel that always names this one. */
const sentinelOf = async (
  t: Test,
  master: {readonly port: number}
): Promise<{readonly host: string; readonly port: number; readonly tell: () => void}> => {
  const listening: net.Socket[] = []
  const answerTo = ([name, question]: readonly string[]): Result => {
    if (name !== 'SENTINEL') return name === 'PING' ? 'PONG' : 'OK'
    const facts = ['ip', '127.0.0.1', 'port', master.port.toString(), 'flags', 'master', 'config-epoch', '0']
    return question === 'MASTER' ? facts : []
  }
  const sentinel = net.createServer(socket => {
    const parser = new RequestParser()
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      for (let args = parser.next(); args !== undefined; args = parser.next())
        if (args[0]?.toUpperCase() === 'PSUBSCRIBE') {
          listening.push(socket)
          for (const [n, each] of args.slice(1).entries())
            socket.write(encodeResult(['psubscribe', each, n + 1], 2), 'latin1')
        } else socket.write(encodeResult(answerTo(args), 2), 'latin1')
    })
  })
  await once(sentinel.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => sentinel.close())
  const news = encodeResult(['pmessage', '+slave', '+slave', 'slave'], 2)
  const tell = (): void => listening.forEach(socket => socket.write(news, 'latin1'))
  return {host: '127.0.0.1', port: (sentinel.address() as AddressInfo).port, tell}
}

t.test('a master that is gone while the connections move to it is left, too', async t => {
  const masters = [await openMaster(), await openMaster(), await openMaster()] as const
  const [first, second, third] = masters
  t.teardown(async () => Promise.all(masters.map(async each => each.close())))
  const named = {port: first.port}
  const redis = await openMasters(await sentinelOf(t, named), {master: 'mine'})
  t.teardown(async () => redis.close())
  const other = await redis.duplicate()
  t.teardown(async () => other.close())
  for (const each of [redis, other]) await each.command(['GET', 'a'])
  const heard = Promise.withResolvers<string>()
  await redis.subscribe('change', (_, message) => heard.resolve(message.toString()))
  named.port = second.port
  await Promise.all([first.close(), second.close()])
  const set = redis.command(['SET', 'a', '1'])
  named.port = third.port
  t.equal(await set, 'OK')
  t.same(await other.command(['GET', 'a']), Buffer.from('1'))
  const tell = async (): Promise<unknown> => other.command(['PUBLISH', 'change', 'b'])
  while ((await tell()) === 0);
  t.equal(await heard.promise, 'b')
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
  const redis = await openMasters(await sentinelOf(t, named), {master: 'mine'})
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
  const redis = await openMasters({...(await sentinelOf(t, named)), readTimeoutMs: 1000}, {master: 'mine'})
  t.teardown(async () => redis.close())
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  isHanging = true
  named.port = second.port
  await t.rejects(redis.command(['SET', 'a', '2']), /has not answered for 1000 ms/)
  t.equal(await redis.command(['SET', 'a', '2']), 'OK')
  t.same(await redis.command(['GET', 'a']), Buffer.from('2'))
})

t.test('a master that sentinels replace while it lives is left as soon as they say so', async t => {
  const engine = new RedisEngine()
  const first = await RedisServer.bind(0)
  first.serve(engine)
  const second = await openMaster()
  t.teardown(async () => Promise.all([first.close(), second.close()]))
  const named = {port: first.port}
  const {tell, ...address} = await sentinelOf(t, named)
  const redis = await openMasters(address, {master: 'mine'})
  t.teardown(async () => redis.close())
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  named.port = second.port
  tell()
  while (engine.sessions.size > 0) await new Promise(setImmediate)
  t.equal(await redis.command(['GET', 'a']), null)
})
