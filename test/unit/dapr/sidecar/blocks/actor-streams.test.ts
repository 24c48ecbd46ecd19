import t from 'tap'
import {ActorStreams, type ActorSession} from '../../../../../src/dapr/sidecar/blocks/actor-streams.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {Actors} from '../../../../../src/work/actor/actors.ts'
import {openActorHouse, types} from '../../../../rig/actor-house.ts'

const SESSION = {} as ActorSession
const TICK = {type: 'Cart', id: '1', name: 'tick'}
const WISH = {dueTime: '1s', period: '1s', ttl: '', callback: '', data: undefined}

/** The streams of one sidecar of an app. */
const streamsOf = (load: () => Promise<Actors>): ActorStreams =>
  new ActorStreams({
    appId: 'carts',
    instance: 'carts',
    isHttpApp: false,
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
