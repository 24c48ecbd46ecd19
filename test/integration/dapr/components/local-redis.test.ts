import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {loadBuiltIn} from '#redis'
import {freePort} from '../../../rig/free-port.ts'
import type {Environment} from '../../../../src/model/environment.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {Blocked, RedisError, type Result} from '../../../../src/packages/redis/engine/result.ts'
import {RedisServer} from '../../../../src/packages/redis/server.ts'
import {open as openConfiguration} from '../../../../src/dapr/components/configuration/redis.ts'
import {openComponent} from '../../../rig/open-component.ts'
import {RedisServers} from '../../../../src/dapr/components/redis/redis-servers.ts'

const servers = (env: Environment = {PILLION_REDIS: 'memory'}): RedisServers =>
  new RedisServers({env, isOwnPort: () => false, reporter: {warn: () => {}}})

t.test('a run that ends while another one greets its Redis is followed', async t => {
  let connections = 0
  const ending = createServer(socket => {
    socket.destroy()
    // the first one only looks whether somebody answers
    if (++connections === 2) ending.close()
  }).listen(0, '127.0.0.1')
  await once(ending, 'listening')
  const redis = servers()
  t.teardown(async () => redis.close())
  const {port} = ending.address() as AddressInfo
  const connection = await redis.connect({host: '127.0.0.1', port})
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  t.equal(connections, 2)
})

for (const last of ['PING', 'INFO'])
  t.test(`one that ends at the ${last} of another one is followed: nobody waits for its return`, async t => {
    const ending = createServer(socket => {
      socket.on('data', data => {
        for (const [command = ''] of data.toString().matchAll(/CLIENT|PING|INFO/g)) {
          if (command === last) {
            ending.close()
            socket.destroy()
          } else socket.write(command === 'PING' ? '+PONG\r\n' : '+OK\r\n')
        }
      })
    }).listen(0, '127.0.0.1')
    await once(ending, 'listening')
    const redis = servers()
    t.teardown(async () => redis.close())
    const {port} = ending.address() as AddressInfo
    const connection = await redis.connect({host: '127.0.0.1', port, connectTimeoutMs: 1000})
    t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  })

t.test('what closes each connection is no Redis, and is told', async t => {
  const other = createServer(socket => void socket.destroy()).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const redis = servers()
  t.teardown(async () => {
    await redis.close()
    other.close()
  })
  const {port} = other.address() as AddressInfo
  await t.rejects(redis.connect({host: '127.0.0.1', port}), {message: /does not answer as Redis does|ECONNRESET/})
})

t.test('who goes on with another server is told: what was set at the one before is gone', async t => {
  const [one, other] = [servers(), servers()]
  t.teardown(async () => other.close())
  const port = await freePort()
  await one.connect({host: '127.0.0.1', port})
  const connection = await other.connect({host: '127.0.0.1', port})
  const told = new Promise<void>(resolve => connection.onServer?.(resolve))
  await connection.command(['CONFIG', 'SET', 'notify-keyspace-events', 'KA'])
  await one.close()
  await told
  t.same(await connection.command(['CONFIG', 'GET', 'notify-keyspace-events']), [
    Buffer.from('notify-keyspace-events'),
    Buffer.from('')
  ])
})

t.test('a command that is under way as the run ends that is the Redis does not fail, and is run once', async t => {
  const env = {XDG_STATE_HOME: t.testdir()}
  const [one, other] = [servers(env), servers(env)]
  t.teardown(async () => other.close())
  const port = await freePort()
  await one.connect({host: '127.0.0.1', port})
  const connections = await Promise.all([1, 2, 3].map(async () => other.connect({host: '127.0.0.1', port})))
  const over = new AbortController()
  let count = 0
  const results = connections.flatMap(connection =>
    Array.from({length: 20}, async () => {
      for (; !over.signal.aborted; await new Promise(setImmediate)) {
        await connection.command(['INCR', 'a'])
        count++
      }
    })
  )
  const moved = Promise.all(connections.map(async each => new Promise<void>(resolve => each.onServer?.(resolve))))
  const ended = Promise.all(results)
  await new Promise(setImmediate)
  await one.close()
  await Promise.race([moved, ended])
  over.abort()
  await ended
  t.equal(String(await connections[0]?.command(['GET', 'a'])), count.toString())
})

t.test('an app that takes the port while a component looks for a server there gets it', async t => {
  const {BuiltInRedis} = await loadBuiltIn()
  for (let questions = 1; questions <= 3; questions++) {
    const port = await freePort()
    const askedAgain = Promise.withResolvers<void>()
    let asked = 0
    let released: Promise<boolean> | undefined
    // an edit of the template gives an app this port at any moment of the search
    const redis: RedisServers = new RedisServers({
      env: {PILLION_REDIS: 'memory'},
      isOwnPort: () => {
        if (++asked > questions) askedAgain.resolve()
        if (asked === questions) queueMicrotask(() => void (released = redis.release(port)))
        return asked > questions
      },
      reporter: {warn: () => {}}
    })
    const connecting = redis.connect({host: '127.0.0.1', port})
    await Promise.race([connecting, askedAgain.promise])
    await released
    // the app starts after its components have been opened
    const connection = await connecting
    const app = await BuiltInRedis.open({port, file: undefined, warn: () => {}, space: undefined})
    t.equal(await connection.command(['SET', 'a', '1']), 'OK', `after ${questions} questions`)
    await redis.close()
    await app.close()
  }
})

t.test('a connection that waits for the Redis of an app can be closed before that comes', async t => {
  const redis = new RedisServers({env: {PILLION_REDIS: 'memory'}, isOwnPort: () => true, reporter: {warn: () => {}}})
  const port = await freePort()
  const connection = await redis.connect({host: '127.0.0.1', port})
  const duplicate = connection.duplicate()
  const refused = t.rejects(connection.command(['GET', 'a']), {message: 'the connection to Redis is closed'})
  await connection.close()
  await refused
  await t.rejects(duplicate, {message: 'the connection to Redis is closed'})
  await redis.close()
})

t.test('a configuration store is open before the app that is its Redis starts, and sees its changes', async t => {
  const redis = new RedisServers({env: {}, isOwnPort: () => true, reporter: {warn: () => {}}})
  t.teardown(async () => redis.close())
  const port = await freePort()
  const store = await openComponent(t, openConfiguration, {redisHost: `127.0.0.1:${port}`}, {redis})
  const changed = Promise.withResolvers<object>()
  const subscribing = store.subscribe(['a'], {}, changed.resolve)
  const {BuiltInRedis} = await loadBuiltIn()
  const app = await BuiltInRedis.open({port, file: undefined, warn: () => {}, space: undefined})
  t.teardown(async () => app.close())
  await subscribing
  await app.connect().command(['SET', 'a', '1||2'])
  t.match(await changed.promise, {a: {value: '1', version: '2'}})
})

t.test('a server that gets a released port, and reads its keys first, is waited for', async t => {
  const redis = servers()
  t.teardown(async () => redis.close())
  const port = await freePort()
  const connection = await redis.connect({host: '127.0.0.1', port})
  const other = await connection.duplicate()
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let refused = 0
  engine.run = (session, args) =>
    args[0] === 'PING' && refused++ < 3
      ? new RedisError('LOADING Redis is loading the dataset in memory')
      : run(session, args)
  t.equal(await redis.release(port), true)
  const server = await RedisServer.bind(port)
  t.teardown(async () => server.close())
  server.serve(engine)
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  t.same(await other.command(['GET', 'a']), Buffer.from('1'))
  t.ok(refused >= 3)
})

/** A server that says this of itself. */
const openSaying = async (port: number, info: () => Result | Blocked): Promise<RedisServer> => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  engine.run = (session, args) => (args[0] === 'INFO' ? info() : run(session, args))
  const server = await RedisServer.bind(port)
  server.serve(engine)
  return server
}

t.test('a Redis that comes back and takes long to say what it is is used once it has', async t => {
  const real = await openSaying(0, () => 'redis_version:7.0.15')
  const {port} = real
  const redis = servers()
  t.teardown(async () => redis.close())
  const connection = await redis.connect({host: '127.0.0.1', port, readTimeoutMs: 200, connectTimeoutMs: 3000})
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  await real.close()
  let asked = 0
  const silent = new Blocked([], 0, () => undefined)
  const back = await openSaying(port, () => (asked++ === 0 ? silent : 'redis_version:7.0.15'))
  t.teardown(async () => back.close())
  t.equal(await connection.command(['SET', 'a', '2']), 'OK')
})

t.test('who wants a connection while a real Redis is away waits for it: the run does not replace it', async t => {
  const real = await openSaying(0, () => 'redis_version:7.0.15')
  const {port} = real
  const redis = servers()
  t.teardown(async () => redis.close())
  const connection = await redis.connect({host: '127.0.0.1', port, connectTimeoutMs: 3000})
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  await real.close()
  const waiting = connection.command(['GET', 'a'])
  const other = connection.duplicate()
  await pause(300)
  const back = await openSaying(port, () => 'redis_version:7.0.15')
  t.teardown(async () => back.close())
  t.equal(await waiting, null)
  t.equal(await (await other).command(['SET', 'a', '2']), 'OK')
  t.same(await connection.command(['GET', 'a']), Buffer.from('2'))
})

t.test('the Redis of an app that still reads its keys is waited for', async t => {
  const port = await freePort()
  const redis = new RedisServers({env: {}, isOwnPort: () => true, reporter: {warn: () => {}}})
  t.teardown(async () => redis.close())
  const connection = await redis.connect({host: '127.0.0.1', port})
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  let refused = 0
  engine.run = (session, args) =>
    args[0] === 'PING' && refused++ < 3
      ? new RedisError('LOADING Redis is loading the dataset in memory')
      : run(session, args)
  const server = await RedisServer.bind(port)
  t.teardown(async () => server.close())
  server.serve(engine)
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
})

t.test('a run that cannot become the Redis tries again, and says it once', async t => {
  const env: Record<string, string> = {PILLION_REDIS: 'memory'}
  const warnings: string[] = []
  const told = Promise.withResolvers<void>()
  const warn = (_: string, text: string): void => {
    warnings.push(text)
    told.resolve()
  }
  const one = servers()
  const other = new RedisServers({env, isOwnPort: () => false, reporter: {warn}})
  t.teardown(async () => other.close())
  const port = await freePort()
  await one.connect({host: '127.0.0.1', port})
  const connection = await other.connect({host: '127.0.0.1', port})
  env['PILLION_REDIS'] = 'off'
  await one.close()
  await told.promise
  // it fails once more
  await pause(700)
  env['PILLION_REDIS'] = 'memory'
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  t.match(warnings, [/^cannot become the Redis at \d+: /, /Pillion serves one/])
  t.equal(warnings.length, 2)
})

t.test('what could not be connected is not kept', async t => {
  const env: Record<string, string> = {PILLION_REDIS: 'off'}
  const redis = servers(env)
  t.teardown(async () => redis.close())
  const port = await freePort()
  const address = {host: '127.0.0.1', port}
  for (let n = 0; n < 3; n++) await t.rejects(redis.connect(address), /PILLION_REDIS=off/)
  env['PILLION_REDIS'] = 'memory'
  const connection = await redis.connect(address)
  t.equal(await redis.release(port), true)
  const {BuiltInRedis} = await loadBuiltIn()
  const next = await BuiltInRedis.open({port, warn: text => t.fail(text)})
  t.teardown(async () => next.close())
  t.equal(await connection.command(['PING']), 'PONG')
  const clients = async (): Promise<string> => String(await connection.command(['INFO', 'clients']))
  for (let n = 0; n < 50; n++) await clients()
  t.match(await clients(), 'connected_clients:1')
})

t.test('a run follows another one that ends, also if it closed a connection while a Redis was away before', async t => {
  const real = await openSaying(0, () => 'redis_version:7.0.15')
  const {port} = real
  const [redis, other] = [servers(), servers()]
  t.teardown(async () => redis.close())
  const before = await redis.connect({host: '127.0.0.1', port})
  await real.close()
  await pause(100) // the connection has noticed
  await before.close()
  await other.connect({host: '127.0.0.1', port})
  const connection = await redis.connect({host: '127.0.0.1', port, connectTimeoutMs: 3000})
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  await other.close()
  t.equal(await connection.command(['SET', 'a', '2']), 'OK')
})
