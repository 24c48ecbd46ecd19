import t from 'tap'
import {RedisError, type RedisConnection, type RedisReply} from '#redis'
import type {SubscribeOptions} from '../../../../src/dapr/components/pubsub.ts'
import {StreamReader} from '../../../../src/dapr/components/pubsub/stream-reader.ts'

const settings = {
  consumerId: '',
  redeliverIntervalMs: 0,
  processingTimeoutMs: 0,
  queueDepth: 10,
  concurrency: 1,
  maxLength: 0,
  ttlMs: 0,
  readTimeoutMs: 0
}

const options = {
  topic: 'orders',
  group: 'shop',
  atOnce: 1,
  ready: async () => Promise.resolve()
} as unknown as SubscribeOptions

/** A connection on which nothing comes; XGROUP fails with these errors first. */
function failing(...errors: readonly Error[]): RedisConnection {
  const left = [...errors]
  const connection = {
    command: async ([name]: readonly string[], signal?: AbortSignal): Promise<RedisReply> => {
      const error = name === 'XGROUP' ? left.shift() : undefined
      if (error !== undefined) throw error
      if (signal === undefined) return 'OK'
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    },
    duplicate: async () => Promise.resolve(connection),
    close: async () => Promise.resolve()
  } as unknown as RedisConnection
  return connection
}

t.test('a subscription that is opened while another run becomes the Redis asks once more', async t => {
  const reader = await StreamReader.open(failing(new Error('Disconnects client')), settings, options)
  await reader.stop()
  await t.rejects(StreamReader.open(failing(new RedisError('WRONGTYPE')), settings, options), /WRONGTYPE/)
  await t.rejects(
    StreamReader.open(failing(new Error('away'), new Error('still away')), settings, options),
    /still away/
  )
  const known = await StreamReader.open(failing(new RedisError('BUSYGROUP is there')), settings, options)
  await known.stop()
})

t.test('messages that are taken over while the reader stops are given back', async t => {
  const claiming = Promise.withResolvers<void>()
  const claimed = Promise.withResolvers<RedisReply>()
  const commands: string[] = []
  const connection = {
    command: async (args: readonly string[], signal?: AbortSignal): Promise<RedisReply> => {
      commands.push(args.join(' '))
      if (args[0] === 'XPENDING') return [['1-1', 'shop', 70_000, 1]]
      if (args[0] === 'XCLAIM' && !args.includes('JUSTID')) {
        claiming.resolve()
        return claimed.promise
      }
      if (signal === undefined) return 'OK'
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    },
    duplicate: async () => Promise.resolve(connection),
    close: async () => Promise.resolve()
  } as unknown as RedisConnection
  const claims = {...settings, redeliverIntervalMs: 15_000, processingTimeoutMs: 60_000}
  const reader = await StreamReader.open(connection, claims, options)
  await claiming.promise
  const stopping = reader.stop()
  claimed.resolve([['1-1', ['data', Buffer.from('x')]]])
  await stopping
  t.equal(commands.at(-1), 'XCLAIM orders shop shop 0 1-1 IDLE 60000 JUSTID')
})
