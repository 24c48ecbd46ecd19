import {mock} from 'node:test'
import t from 'tap'
import {RedisError, UnsentError, type RedisConnection, type RedisReply} from '#redis'
import {messageOf} from '../../../../../src/model/errors.ts'
import {MovableConnection} from '../../../../../src/dapr/components/redis/movable-connection.ts'

/** A server: its connections subscribe when they are let. */
class Server {
  readonly listened: string[] = []
  isClosed = false
  /** What the next command is answered with. */
  answer: Promise<RedisReply> = Promise.resolve('OK')
  readonly #mayListen: Promise<void>

  constructor(mayListen = Promise.resolve()) {
    this.#mayListen = mayListen
  }

  readonly connection: RedisConnection = {
    command: async () => this.answer,
    transaction: async () => [],
    subscribe: async pattern => {
      this.listened.push(pattern)
      await this.#mayListen
      return async () => void this.listened.splice(this.listened.indexOf(pattern), 1)
    },
    onServer: () => undefined,
    duplicate: async () => this.connection,
    close: async () => void (this.isClosed = true)
  }
}

const opened = (servers: readonly Server[]): MovableConnection => {
  const left = [...servers]
  return new MovableConnection(
    async () => left.shift()?.connection ?? Promise.reject(new Error('no server')),
    1000,
    () => undefined
  )
}

t.test('a subscription that is on its way when the connection moves goes along, and ends there', async t => {
  const held = Promise.withResolvers<void>()
  const [old, next] = [new Server(held.promise), new Server()]
  const connection = opened([old, next])
  await connection.connected()
  const subscribing = connection.subscribe('key*', () => undefined)
  await new Promise(setImmediate)
  t.same(old.listened, ['key*'])
  await connection.move()
  t.same(next.listened, ['key*'])
  held.resolve()
  const end = await subscribing
  await end()
  t.same(next.listened, [])
})

t.test('and also where the server that is gone never takes it', async t => {
  const held = Promise.withResolvers<void>()
  const [old, next] = [new Server(held.promise), new Server()]
  const connection = opened([old, next])
  await connection.connected()
  const subscribing = connection.subscribe('key*', () => undefined)
  await new Promise(setImmediate)
  await connection.move()
  t.same(next.listened, ['key*'])
  held.reject(new Error('the connection to Redis is closed'))
  const end = await subscribing
  t.same(next.listened, ['key*'])
  await end()
  t.same(next.listened, [])
})

t.test('a subscription that ends while the connection moves is not left behind', async t => {
  const held = Promise.withResolvers<void>()
  const [old, next] = [new Server(), new Server(held.promise)]
  const connection = opened([old, next])
  const end = await connection.subscribe('key*', () => undefined)
  const moving = connection.move()
  await new Promise(setImmediate)
  t.same(next.listened, ['key*'])
  await end()
  held.resolve()
  await moving
  t.same([old.listened, next.listened], [[], []])
})

t.test('a server that could not be reached does not take the place of the next one', async t => {
  const late = Promise.withResolvers<RedisConnection>()
  const next = new Server()
  const servers = [late.promise, Promise.resolve(next.connection)]
  const connection = new MovableConnection(
    async () => servers.shift() ?? Promise.reject(new Error('a third one is opened')),
    1000,
    () => undefined
  )
  const first = connection.connected()
  const moving = connection.move()
  late.reject(new Error('refused'))
  await t.rejects(first, /refused/)
  await moving
  t.equal(await connection.connected(), next.connection)
  await connection.close()
  t.ok(next.isClosed)
})

t.test('a duplicate that is closed while it moves does not hold up the others', async t => {
  const late = Promise.withResolvers<RedisConnection>()
  const [old, next, other] = [new Server(), new Server(), new Server()]
  const opening = [old, old, old, next].map(async ({connection}) => connection)
  opening.push(late.promise, Promise.resolve(other.connection))
  const connection = new MovableConnection(
    async () => opening.shift() ?? Promise.reject(new Error('no server')),
    1000,
    () => undefined
  )
  await connection.connected()
  const [first, second] = [await connection.duplicate(), await connection.duplicate()]
  connection.suspend()
  const moving = connection.move()
  await new Promise(setImmediate)
  const closing = first.close()
  late.reject(new Error('the connection to Redis is closed'))
  await closing
  await moving
  t.equal(await connection.command(['PING']), 'OK')
  t.equal(await second.command(['PING']), 'OK')
})

t.test('a command under way as its Redis ends, which answers what it has run, is run by the next one', async t => {
  const [old, next] = [new Server(), new Server()]
  const connection = opened([old, next])
  await connection.command(['PING'])
  const under = Promise.withResolvers<RedisReply>()
  old.answer = under.promise
  next.answer = Promise.resolve('of the next')
  const answer = connection.command(['SET', 'a', '1'])
  connection.suspend(true)
  await connection.move()
  under.reject(new Error('Disconnects client'))
  t.equal(await answer, 'of the next')
})

t.test('a command is run by the next Redis only if the one before has not received it', async t => {
  for (const [error, expected] of [
    [new UnsentError('the connection to Redis is closed'), 'of the next'],
    [new Error('Disconnects client'), 'Disconnects client']
  ] as const) {
    const [old, next] = [new Server(), new Server()]
    const connection = opened([old, next])
    await connection.command(['PING'])
    const under = Promise.withResolvers<RedisReply>()
    old.answer = under.promise
    next.answer = Promise.resolve('of the next')
    const answer = connection.command(['SET', 'a', '1']).catch(messageOf)
    connection.suspend()
    await connection.move()
    under.reject(error)
    t.equal(await answer, expected)
  }
})

t.test('a command is not run twice where Redis has refused it, or where it may have been run', async t => {
  const server = new Server()
  const connection = opened([server])
  await connection.command(['PING'])
  connection.suspend(true)
  connection.resume()
  server.answer = Promise.reject(new RedisError('WRONGTYPE'))
  await t.rejects(connection.command(['GET', 'a']), /WRONGTYPE/)
  const under = Promise.withResolvers<RedisReply>()
  server.answer = under.promise
  const answer = connection.command(['INCR', 'a'])
  // a real Redis: it is waited for
  connection.suspend()
  under.reject(new Error('Socket closed unexpectedly'))
  await t.rejects(answer, /Socket closed/)
})

t.test('a move that fails leaves no connection to the old server, and a duplicate that fails is no more', async t => {
  const held = Promise.withResolvers<void>()
  const [old, next, last] = [new Server(), new Server(held.promise), new Server()]
  const servers = [old.connection, undefined, next.connection, last.connection]
  const connection = new MovableConnection(
    async () => servers.shift() ?? Promise.reject(new Error('no server')),
    1000,
    () => undefined
  )
  await connection.subscribe('key*', () => undefined)
  await t.rejects(connection.duplicate(), /no server/)
  const moving = t.rejects(connection.move(), /closed/)
  held.reject(new Error('closed'))
  await moving
  t.ok(old.isClosed)
  await connection.move()
  t.equal(await connection.connected(), last.connection)
})

t.test('a command does not wait for ever for a Redis that never comes', async t => {
  const connection = new MovableConnection(
    async () => new Promise<never>(() => undefined),
    1000,
    () => undefined
  )
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const asked = t.rejects(connection.command(['PING']), {message: 'Redis does not answer'})
  mock.timers.tick(60_000)
  await asked
})
