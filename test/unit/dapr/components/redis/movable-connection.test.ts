import t from 'tap'
import type {RedisConnection} from '#redis'
import {MovableConnection} from '../../../../../src/dapr/components/redis/movable-connection.ts'

/** A server: its connections subscribe when they are let. */
class Server {
  readonly listened: string[] = []
  isClosed = false
  readonly #mayListen: Promise<void>

  constructor(mayListen = Promise.resolve()) {
    this.#mayListen = mayListen
  }

  readonly connection: RedisConnection = {
    command: async () => 'OK',
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
