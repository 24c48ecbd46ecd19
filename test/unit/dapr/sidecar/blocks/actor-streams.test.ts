import t from 'tap'
import {ActorStreams, type ActorSession} from '../../../../../src/dapr/sidecar/blocks/actor-streams.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {ActorRequest} from '../../../../../src/work/actor/actor-host.ts'
import {Actors} from '../../../../../src/work/actor/actors.ts'
import {openActorHouse, types} from '../../../../rig/actor-house.ts'
import {TestClock} from '../../../../rig/clock.ts'

const SESSION = {} as ActorSession
const TICK = {type: 'Cart', id: '1', name: 'tick'}
const WISH = {dueTime: '1s', period: '1s', ttl: '', callback: '', data: undefined}

/** The streams of one sidecar of an app. */
const streamsOf = (load: () => Promise<Actors>, lives: readonly number[] = []): ActorStreams =>
  new ActorStreams({
    appId: 'carts',
    instance: 'carts',
    isHttpApp: false,
    lives: () => lives,
    actors: {load, faults: undefined},
    policies: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  } as unknown as BlockContext)

t.test('a sidecar that closes late ends no timer of the next process of its app', async t => {
  const {actors} = openActorHouse()
  t.teardown(() => actors.close())
  const load = async (): Promise<Actors> => Promise.resolve(actors)
  const before = streamsOf(load)
  await before.open(SESSION, types(['Cart']))
  actors.timers.set(TICK, WISH, 'carts')
  before.closed(SESSION)
  before.close()
  t.same(actors.timers.of('Cart', '1'), [], 'they live as long as their sidecar')
  await streamsOf(load).open(SESSION, types(['Cart']))
  actors.timers.set(TICK, WISH, 'carts')
  before.close()
  t.same(actors.timers.of('Cart', '1'), [TICK])
})

t.test('a stream that opens while its sidecar closes hosts nothing', async t => {
  const {actors} = openActorHouse()
  t.teardown(() => actors.close())
  const loaded = Promise.withResolvers<Actors>()
  const streams = streamsOf(async () => loaded.promise)
  const opening = streams.open(SESSION, types(['Cart']))
  streams.close()
  loaded.resolve(actors)
  await opening
  streams.closed(SESSION)
  t.notOk(actors.table.isHosted('Cart'))
})

t.test('of streams that end one after the other the last one does not tell what starts a sleeping app', async t => {
  const told: (readonly string[])[] = []
  const actors = new Actors({clock: new TestClock(), mayHost: () => false, onTypes: (_, names) => told.push(names)})
  t.teardown(() => actors.close())
  const streams = streamsOf(async () => Promise.resolve(actors))
  const other = {...SESSION}
  await streams.open(SESSION, types(['Cart']))
  await streams.open(other, types(['Order']))
  streams.closed(SESSION)
  t.ok(actors.table.isHosted('Order'))
  t.notOk(actors.table.isHosted('Cart'))
  streams.closed(other)
  t.strictSame(told, [['Cart'], ['Cart', 'Order']])
})

t.test('a stream that ends while the actors of its app are let go lets no turn of another stream begin', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const streams = streamsOf(async () => Promise.resolve(actors))
  const came: string[] = []
  const answered = Promise.withResolvers<void>()
  const other = {
    ...SESSION,
    deactivate: async () => Promise.resolve(true),
    send: async ({id}: ActorRequest) => {
      came.push(id)
      await answered.promise
      return {kind: 'done', lines: '', body: Buffer.from('ok'), isError: false, isCancelled: false} as const
    }
  }
  await streams.open(SESSION, types(['Cart']))
  await streams.open(other, types(['Order']))
  const under = call('Order/1', 'pay')
  await new Promise(setImmediate)
  const retired = actors.retire('carts', new AbortController().signal)
  streams.closed(SESSION)
  const waiting = call('Order/2', 'pay')
  await new Promise(setImmediate)
  t.strictSame(came, ['1'])
  answered.resolve()
  t.equal(await retired, true)
  actors.resume('carts')
  t.strictSame(await Promise.all([under.outcome, waiting.outcome]), ['ok', 'ok'])
})

t.test('the actors of a process stay with it until the one that is to take over has done so', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const lives = [1]
  const streams = streamsOf(async () => Promise.resolve(actors), lives)
  const came: string[] = []
  const session = (process: string): ActorSession => ({
    ...SESSION,
    isBusy: false,
    deactivate: async (_, id) => {
      came.push(`${process}: ${id} is let go`)
      return Promise.resolve(true)
    },
    send: async ({id}: ActorRequest) => {
      came.push(`${process}: ${id}`)
      return Promise.resolve({kind: 'done', lines: '', body: Buffer.from('ok'), isError: false, isCancelled: false})
    }
  })
  const [old, failed, next] = [session('old'), session('failed'), session('next')]
  const calls = async (id: string): Promise<readonly string[]> => {
    t.equal(await call(`Cart/${id}`, 'add').outcome, 'ok')
    return came.splice(0)
  }
  await streams.open(old, types(['Cart']))
  t.strictSame(await calls('1'), ['old: 1'])
  lives.push(2)
  await streams.open(failed, types(['Cart', 'Order']))
  t.strictSame(await calls('1'), ['old: 1'])
  t.notOk(actors.table.isHosted('Order'))
  lives.pop()
  streams.closed(failed)
  t.ok(actors.table.isActiveAt('carts', 'Cart', '1'), 'a process that does not come up takes none along')
  lives.push(3)
  await streams.open(next, types(['Cart', 'Order']))
  await actors.retire('carts', new AbortController().signal)
  t.strictSame(came.splice(0), ['old: 1 is let go'])
  lives.shift()
  streams.followProcesses()
  actors.resume('carts')
  t.strictSame(await calls('1'), ['next: 1'])
  t.ok(actors.table.isHosted('Order'))
  streams.closed(old)
  t.ok(actors.table.isActiveAt('carts', 'Cart', '1'))
  t.strictSame(await calls('1'), ['next: 1'])
})

t.test('a stream that a process opens again gets its calls once the one that was to take over has ended', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const lives = [1]
  const streams = streamsOf(async () => Promise.resolve(actors), lives)
  streams.followProcesses()
  const answer = {kind: 'done', lines: '', body: Buffer.from('ok'), isError: false, isCancelled: false} as const
  const first = {...SESSION, isBusy: false, send: async () => Promise.resolve(answer)}
  const again = {...first}
  await streams.open(first, types(['Cart']))
  lives.push(2)
  streams.followProcesses()
  streams.closed(first)
  await streams.open(again, types(['Cart']))
  const waiting = call('Cart/1', 'add')
  await new Promise(setImmediate)
  lives.pop()
  streams.followProcesses()
  t.equal(await Promise.race([waiting.outcome, new Promise(setImmediate)]), 'ok')
})

t.test('calls wait for the process that is to take over where the stream of the one before it has ended', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const lives = [1]
  const streams = streamsOf(async () => Promise.resolve(actors), lives)
  const answer = {kind: 'done', lines: '', body: Buffer.from('ok'), isError: false, isCancelled: false} as const
  const first = {...SESSION, isBusy: false, send: async () => Promise.resolve(answer)}
  await streams.open(first, types(['Cart']))
  lives.push(2)
  await streams.open({...first}, types(['Cart']))
  streams.closed(first)
  const waiting = call('Cart/1', 'add')
  await new Promise(setImmediate)
  lives.shift()
  streams.followProcesses()
  t.equal(await Promise.race([waiting.outcome, new Promise(setImmediate)]), 'ok')
})
