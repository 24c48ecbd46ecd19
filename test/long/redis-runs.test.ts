/** Several runs that share one built-in Redis: the one that holds its port ends, another one goes on. */
import t, {type Test} from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'
import {component, eventOf, publish, subscribed} from '../e2e/pubsub-shop.ts'

interface Scene {
  readonly rig: Rig
  readonly port: number
  /** A run of one app that is subscribed to orders. */
  readonly start: (id: string) => Promise<{readonly run: Program; readonly app: Driven}>
}

const open = async (t: Test, metadata: Readonly<Record<string, string>> = {}): Promise<Scene> => {
  const rig = await openRig(t)
  const port = await freePort()
  const bus = {redisHost: `localhost:${port}`, concurrency: '1', ...metadata}
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.redis', bus)})
  const start = async (id: string): ReturnType<Scene['start']> => {
    const args = ['-a', id, '-p', (await freePort()).toString(), '--resources-path', 'resources']
    const run = rig.pillion(['run', ...args, '--', ...rig.drivenCommand])
    const app = await rig.driven(id)
    await app.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
    await app.listen()
    await subscribed(app, 1)
    return {run, app}
  }
  return {rig, port, start}
}

const ANSWERS = /No Redis at localhost:\d+: Pillion serves one/

const dataOf = (request: Request): number => Number(eventOf(request)['data'])

/** The data of the next events, each answered when it has come. */
const take = async (app: Driven, count: number): Promise<readonly number[]> => {
  const taken: number[] = []
  while (taken.length < count) {
    const request = await app.nextRequest()
    taken.push(dataOf(request))
    await request.reply()
  }
  return taken
}

/** Resolves when everything that the group has read is acknowledged. */
const acknowledged = async (t: Test, port: number, group: string): Promise<void> => {
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  for (;;) {
    const [pending] = (await redis.command(['XPENDING', 'orders', group])) as readonly unknown[]
    if (pending === 0) return
  }
}

/** All that was published is in the file. */
const stored = async (port: number): Promise<void> => {
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  await redis.command(['SAVE'])
  await redis.close()
}

for (const end of ['SIGTERM', 'SIGKILL'] as const)
  t.test(`the run that holds the port ends by ${end}: the other delivers what waits, in order, once`, async t => {
    const scene = await open(t)
    const {run, app: shop} = await scene.start('shop')
    const {run: other, app: stock} = await scene.start('stock')
    await run.waitForLine(ANSWERS, {stream: 'stderr'})
    for (const n of [1, 2, 3, 4, 5]) await publish(shop, 'bus/orders', n.toString())
    const held = await stock.nextRequest()
    t.equal(dataOf(held), 1)
    if (end === 'SIGKILL') await stored(scene.port)
    run.signal(end)
    await run.exited
    await other.waitForLine(ANSWERS, {stream: 'stderr'})
    await publish(stock, 'bus/orders', '6')
    await held.reply()
    t.same(await take(stock, 5), [2, 3, 4, 5, 6])
    await acknowledged(t, scene.port, 'stock')
    const {app: again} = await scene.start('shop')
    const seen: number[] = []
    while (seen.at(-1) !== 6) seen.push(...(await take(again, 1)))
    t.same(seen.slice(-1), [6], 'the group of the app that was ended goes on where it was')
  })

t.test('two runs that start in the same moment: one is the Redis, the other uses it', async t => {
  const scene = await open(t)
  const [one, two] = await Promise.all([scene.start('shop'), scene.start('stock')])
  for (const {app} of [one, two]) await publish(app, 'bus/orders', '1')
  t.same(await Promise.all([take(one.app, 2), take(two.app, 2)]), [
    [1, 1],
    [1, 1]
  ])
  const answering = [one.run, two.run].filter(({stderr}) => ANSWERS.test(stderr.text))
  t.equal(answering.length, 1)
})

t.test('two instances of an app in two runs share a group: each message reaches one of them', async t => {
  const scene = await open(t)
  const [one, two] = [await scene.start('stock'), await scene.start('stock')]
  const seen: number[] = []
  const all = Promise.withResolvers<void>()
  const MESSAGES = 40
  const serve = async (app: Driven): Promise<void> => {
    for (;;) {
      seen.push(...(await take(app, 1)))
      if (seen.length === MESSAGES) all.resolve()
    }
  }
  for (const {app} of [one, two]) void serve(app).catch(() => undefined) // until it is ended
  for (let n = 0; n < MESSAGES; n++) await publish(n % 2 === 0 ? one.app : two.app, 'bus/orders', n.toString())
  await all.promise
  await acknowledged(t, scene.port, 'stock')
  t.same(
    seen.toSorted((a, b) => a - b),
    Array.from({length: MESSAGES}, (_, n) => n)
  )
})

t.test('killed with -9: what was being processed comes again, before what is newer', async t => {
  const scene = await open(t, {processingTimeout: '1ms'})
  const {run, app} = await scene.start('shop')
  for (const n of [1, 2, 3]) await publish(app, 'bus/orders', n.toString())
  t.equal(dataOf(await app.nextRequest()), 1)
  await stored(scene.port)
  await run.end('SIGKILL')
  const {app: again} = await scene.start('shop')
  t.same(await take(again, 3), [1, 2, 3])
  await acknowledged(t, scene.port, 'shop')
})
