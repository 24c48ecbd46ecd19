import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {BuiltInRedis} from '../built-in-redis.ts'
import {ClientConnection} from '../client-connection.ts'
import type {RedisConnection, RedisReply} from '../connection.ts'
import {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from '../dapr-scripts.ts'
import {RedisEngine} from '../engine/engine.ts'
import {Blocked, RedisError} from '../engine/result.ts'
import {MemoryConnection} from '../memory-connection.ts'
import {RedisServer} from '../server.ts'
import {realRedis, skipWithoutRedis} from '../../../../test/rig/redis.ts'

const READ = ['XREADGROUP', 'GROUP', 'g', 'c']
const NEW = ['STREAMS', 's', '>']

/** What any connection must do, whatever it is connected to. */
async function check(t: Test, connection: RedisConnection): Promise<void> {
  const run = async (...args: readonly (string | Buffer)[]): Promise<unknown> => shown(await connection.command(args))

  await t.test('replies have the shapes of RESP2', async t => {
    t.equal(await run('FLUSHALL'), 'OK')
    t.equal(await run('SET', 'ключ', Buffer.from([0, 255, 13, 10])), 'OK')
    t.same(await connection.command(['GET', 'ключ']), Buffer.from([0, 255, 13, 10]))
    t.equal(await run('GET', 'none'), null)
    t.equal(await run('INCR', 'n'), 1)
    t.same(await run('HSET', 'h', 'a', '1', 'b', 'ü'), 2)
    t.same(await run('HGETALL', 'h'), ['a', '1', 'b', 'ü'])
    t.equal(await run('XADD', 's', '1-1', 'data', 'x'), '1-1')
    t.equal(await run('XGROUP', 'CREATE', 's', 'g', '0'), 'OK')
    t.same(await run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'), [['s', [['1-1', ['data', 'x']]]]])
    t.equal(await run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'), null)
    t.equal(await run('ZADD', 'z', '1.5', 'm'), 1)
    t.equal(await run('ZSCORE', 'z', 'm'), '1.5')
  })

  await t.test('an error of Redis is a RedisError with its words', async t => {
    await t.rejects(run('HGET', 'n', 'f'), {
      name: 'RedisError',
      message: 'WRONGTYPE Operation against a key holding the wrong kind of value'
    })
    await t.rejects(run('XGROUP', 'CREATE', 's', 'g', '0'), /^RedisError: BUSYGROUP|BUSYGROUP/)
    await t.rejects(run('XREADGROUP', 'GROUP', 'группа', 'c', 'STREAMS', 's', '>'), /NOGROUP .*группа/)
    const refused = await connection.transaction([['XGROUP', 'SETID', 's', 'группа', '0']])
    t.match(refused, [{name: 'RedisError', message: /NOGROUP .*группа/}])
  })

  await t.test('a transaction runs as a whole; a failed command does not undo the others', async t => {
    const replies = await connection.transaction([
      ['SET', 'a', '1'],
      ['HGET', 'a', 'f'],
      ['INCR', 'a']
    ])
    t.equal(replies[0], 'OK')
    t.match(replies[1], RedisError)
    t.equal(replies[2], 2)
    await t.rejects(connection.transaction([['SET', 'a']]), /EXECABORT/)
    t.equal(await run('GET', 'a'), '2')
  })

  await t.test('a blocking command waits on a connection of its own, and ends with its signal', async t => {
    const reader = await connection.duplicate()
    const waiting = reader.command(['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>'])
    await run('XADD', 's', '2-1', 'data', 'y')
    t.same(shown(await waiting), [['s', [['2-1', ['data', 'y']]]]])
    const ending = new AbortController()
    const ended = reader.command(['XREAD', 'BLOCK', '0', 'STREAMS', 's', '$'], ending.signal)
    ending.abort(new Error('enough'))
    await t.rejects(ended, {message: 'enough'})
    t.equal(shown(await reader.command(['PING'])), 'PONG')
    await reader.close()
    await t.rejects(reader.command(['PING']), /closed/)
  })

  await t.test('what Redis has sent by the time a signal ends the wait is read', async t => {
    const reader = await connection.duplicate()
    for (let n = 1; n <= 10; n++) {
      const ending = new AbortController()
      const reading = reader.command([...READ, 'BLOCK', '0', ...NEW], ending.signal).then(shown, () => null)
      const added = run('XADD', 's', `3-${n}`, 'data', 'z')
      await turn()
      ending.abort()
      await added
      t.same((await reading) ?? (await run(...READ, ...NEW)), [['s', [[`3-${n}`, ['data', 'z']]]]])
    }
    await reader.close()
  })

  await t.test('commands behind a blocking one wait, in their order', async t => {
    const [reader, writer] = [await connection.duplicate(), await connection.duplicate()]
    const popped = ['q1', 'q2', 'q3'].map(async key => shown(await reader.command(['BLPOP', key, '0'])))
    for (const key of ['q3', 'q2', 'q1']) await writer.command(['RPUSH', key, 'x'])
    t.same(await Promise.all(popped), [
      ['q1', 'x'],
      ['q2', 'x'],
      ['q3', 'x']
    ])
    const first = reader.command(['BLPOP', 'q1', '0'])
    const ended = [t.rejects(reader.command(['BLPOP', 'q2', '0'])), t.rejects(reader.command(['BLPOP', 'q3', '0']))]
    await writer.command(['RPUSH', 'q1', 'x'])
    await first
    await writer.command(['PING'])
    await reader.close()
    await Promise.all(ended)
    await writer.close()
  })

  await t.test('messages of channels and keyspace notifications arrive next to commands', async t => {
    await run('CONFIG', 'SET', 'notify-keyspace-events', 'KA')
    const heard: string[] = []
    const {promise: arrived, resolve: arrive} = Promise.withResolvers<void>()
    const unsubscribe = await connection.subscribe('__keyspace@0__:set*', (channel, message) => {
      heard.push(`${channel} ${message.toString()}`)
      arrive()
    })
    await run('SET', 'setting', 'value||v1')
    await arrived
    t.same(heard, ['__keyspace@0__:setting set'])
    await unsubscribe()
    await run('DEL', 'setting')
    t.equal(heard.length, 1)
  })

  await t.test('the scripts of state and lock do what they say', async t => {
    const save = async (key: string, ...args: string[]): Promise<unknown> => run('EVAL', SAVE_SCRIPT, '1', key, ...args)
    await run('DEL', 'k')
    t.equal(await save('k', '0', 'one', '1'), 1)
    t.equal(await save('k', '0', 'two', '1'), 2)
    t.equal(await save('k', '2', 'three', '1'), 3)
    await t.rejects(save('k', '2', 'four', '1'), {message: 'ERR failed to set key k'})
    t.equal(await save('k', '3', 'four', '0'), 4)
    await t.rejects(save('k', '0', 'five', '0'), {message: 'ERR failed to set key k'})
    t.same(await run('HGETALL', 'k'), ['data', 'four', 'version', '4', 'first-write', '0'])
    t.equal(await save('k', '0', 'five', '1'), 5, 'an ordinary save may follow a first write')
    await run('SET', 'text', 'x')
    t.equal(await save('text', '0', 'one', '1'), 1)
    await t.rejects(run('EVAL', DELETE_SCRIPT, '1', 'k', '3'), {message: 'ERR failed to delete k'})
    t.equal(await run('EVAL', DELETE_SCRIPT, '1', 'k', '5'), 1)
    t.equal(await run('EVAL', DELETE_SCRIPT, '1', 'k', '0'), 0)
    t.equal(await run('EVAL', UNLOCK_SCRIPT, '1', 'lock', 'me'), -1)
    await run('SET', 'lock', 'you')
    t.equal(await run('EVAL', UNLOCK_SCRIPT, '1', 'lock', 'me'), -2)
    t.equal(await run('EVAL', UNLOCK_SCRIPT, '1', 'lock', 'you'), 1)
  })
}

/** Bytes as text. */
function shown(reply: RedisReply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? (reply as readonly RedisReply[]).map(shown) : reply
}

t.test('in memory', async t => {
  const engine = new RedisEngine()
  const connection = new MemoryConnection(engine)
  await check(t, connection)
  await connection.close()
  engine.close()
})

t.test('the official client at the built-in Redis', async t => {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  const connection = await ClientConnection.open({host: '127.0.0.1', port: server.port, password: 'any'})
  await check(t, connection)
  await connection.close()
  await server.close()
})

t.test('the official client at redis-server', {skip: skipWithoutRedis}, async t => {
  const {port} = await realRedis(t)
  const connection = await ClientConnection.open({host: '127.0.0.1', port})
  await check(t, connection)
  await connection.close()
})

t.test('a Redis that goes away and comes back', {skip: skipWithoutRedis}, async t => {
  const real = await realRedis(t)
  const told: string[] = []
  const {promise: lost, resolve: lose} = Promise.withResolvers<void>()
  const {promise: back, resolve: comeBack} = Promise.withResolvers<void>()
  const connection = await ClientConnection.open(
    {host: '127.0.0.1', port: real.port},
    {
      lost: () => {
        told.push('lost')
        lose()
      },
      back: () => {
        told.push('back')
        comeBack()
      }
    }
  )
  const {promise: heard, resolve: hear} = Promise.withResolvers<string>()
  await connection.subscribe('news*', (_, message) => hear(message.toString()))
  const old = Array.from({length: 12}, async (_, n) => connection.subscribe(`old${n}*`, () => t.fail('it was ended')))
  const ends = await Promise.all(old)
  const onWarning = ({message}: Error): void => void t.fail(message)
  process.on('warning', onWarning)
  const reader = await connection.duplicate()
  await reader.command(['BLPOP', 'list', '0.01'], new AbortController().signal)
  const cut = t.rejects(reader.command(['BLPOP', 'list', '0']))
  await real.stop()
  await cut
  await lost // each connection learns it by itself
  const later = connection.command(['SET', 'a', '1'])
  await Promise.all(ends.map(async end => end()))
  await real.start()
  t.equal(await later, 'OK')
  await back
  t.same(told, ['lost', 'back'])
  t.same(await reader.command(['GET', 'a']), Buffer.from('1'))
  const id = await reader.command(['CLIENT', 'ID'])
  const ending = new AbortController()
  const ended = t.rejects(reader.command(['BLPOP', 'list', '0'], ending.signal))
  ending.abort()
  await ended
  t.equal(await reader.command(['CLIENT', 'ID']), id, 'Redis has ended the wait of this connection')
  for (let receivers: RedisReply = 0; receivers === 0;)
    receivers = await connection.command(['PUBLISH', 'news', 'hello'])
  t.equal(await heard, 'hello')
  while ((await connection.command(['PUBSUB', 'NUMPAT'])) !== 1);
  t.equal(await connection.command(['PUBLISH', 'old7', 'hello']), 0)
  process.off('warning', onWarning)
  await reader.close()
  await connection.close()
})

t.test('nobody answers: the first connection rejects at once', async t => {
  const server = await RedisServer.bind(0)
  await server.close()
  await t.rejects(ClientConnection.open({host: '127.0.0.1', port: server.port}), /ECONNREFUSED/)
})

t.test('once the built-in Redis is closed, its connections answer nothing that nobody keeps', async t => {
  const redis = await BuiltInRedis.open({port: 0, warn: text => t.fail(text)})
  const connection = redis.connect()
  await connection.command(['SET', 'a', '1'])
  await redis.close()
  await t.rejects(connection.command(['SET', 'b', '2']), /closed/)
})

t.test('who subscribes as a connection is closed, or later, is refused, and leaves none behind', async t => {
  const server = await RedisServer.bind(0)
  const engine = new RedisEngine()
  server.serve(engine)
  t.teardown(async () => {
    engine.close()
    await server.close()
  })
  const connection = await ClientConnection.open({host: '127.0.0.1', port: server.port})
  const meanwhile = connection.subscribe('*', () => undefined)
  meanwhile.catch(() => undefined)
  await connection.close()
  const refused = {message: 'the connection to Redis is closed'}
  await t.rejects(meanwhile, refused)
  await t.rejects(
    connection.subscribe('*', () => undefined),
    refused
  )
  while (engine.sessions.size > 0) await new Promise(setImmediate)
})

t.test('a connection closes at once, also while the one of its subscriptions is being made', async t => {
  const server = await RedisServer.bind(0)
  const engine = new RedisEngine()
  server.serve(engine)
  t.teardown(async () => {
    engine.close()
    await server.close()
  })
  const connection = await ClientConnection.open({host: '127.0.0.1', port: server.port, connectTimeoutMs: 60_000})
  const silent = engine.sessions.size
  engine.run = () => new Blocked([], 0, () => undefined)
  const subscribed = connection.subscribe('*', () => undefined)
  subscribed.catch(() => undefined)
  while (engine.sessions.size === silent) await new Promise(setImmediate)
  await connection.close()
  await t.rejects(subscribed)
})

t.test('a command that waits for a server is refused at once when its connection is closed', async t => {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  const lost = Promise.withResolvers<void>()
  const listener = {lost: () => lost.resolve(), back: () => undefined}
  const address = {host: '127.0.0.1', port: server.port, connectTimeoutMs: 60_000}
  const connection = await ClientConnection.open(address, listener)
  await server.close()
  await lost.promise
  const waiting = t.rejects(connection.command(['GET', 'a']), {message: 'the connection to Redis is closed'})
  await connection.close()
  await waiting
})

t.test('the listener is called each time the server returns, without its settings', async t => {
  const server = await RedisServer.bind(0)
  server.serve(new RedisEngine())
  const connection = await ClientConnection.open({host: '127.0.0.1', port: server.port})
  t.teardown(async () => connection.close())
  const told = Promise.withResolvers<string>()
  connection.onServer(() => told.resolve('told'))
  await server.close()
  const again = await RedisServer.bind(server.port)
  t.teardown(async () => again.close())
  again.serve(new RedisEngine())
  t.equal(await connection.command(['PING']), 'PONG')
  t.equal(await Promise.race([told.promise, connection.command(['ECHO', 'not told'])]), 'told')
})

t.test('who hears of a change in a transaction, and asks for the value, lets none between its commands', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const [connection, waiting, asking] = [0, 1, 2].map(() => new MemoryConnection(engine))
  if (connection === undefined || waiting === undefined || asking === undefined) return
  await connection.command(['CONFIG', 'SET', 'notify-keyspace-events', 'KA'])
  const asked: Promise<unknown>[] = []
  await asking.subscribe('__keyspace@0__:*', () => asked.push(asking.command(['GET', 'a'])))
  const popped = waiting.command(['BLPOP', 'list', '0'])
  const replies = await connection.transaction([
    ['LPUSH', 'list', 'x'],
    ['LPOP', 'list']
  ])
  t.same(replies, [1, Buffer.from('x')])
  await connection.command(['LPUSH', 'list', 'y'])
  t.same(shown(await popped), ['list', 'y'])
  t.ok(asked.length > 0)
})

t.test('a connection whose signal is aborted is not opened', async t => {
  const silent = createServer(() => undefined)
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => silent.close())
  const address = {host: '127.0.0.1', port: (silent.address() as AddressInfo).port, readTimeoutMs: 60_000}
  await t.rejects(ClientConnection.open(address, undefined, AbortSignal.abort(new Error('closed'))), {
    message: 'closed'
  })
  const ending = new AbortController()
  const opening = ClientConnection.open(address, undefined, ending.signal)
  ending.abort(new Error('closed meanwhile'))
  await t.rejects(opening, {message: 'closed meanwhile'})
})
