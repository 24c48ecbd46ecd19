import t from 'tap'
import {ActorStreams, type ActorSession} from '../../../../../../src/dapr/sidecar/blocks/actor-streams.ts'
import type {BlockContext} from '../../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {Blocks} from '../../../../../../src/dapr/sidecar/blocks/blocks.ts'
import {subscribeActorEvents} from '../../../../../../src/dapr/sidecar/grpc/blocks/subscribe-actor-events.ts'
import type {ServerStream} from '../../../../../../src/dapr/sidecar/grpc/server-stream.ts'
import {SubscribeActorEventsRequestAlpha1} from '../../../../../../src/model/dapr/messages/actors.generated.ts'
import {encode} from '../../../../../../src/proxy/net/grpc/message-codec.ts'
import {openActorHouse, types} from '../../../../../rig/actor-house.ts'

t.test('a stream whose types could not be hosted, as no file can be opened, gets no call of later ones', async t => {
  const {actors} = openActorHouse()
  t.teardown(() => actors.close())
  let loads = 0
  const load = async (): Promise<typeof actors> => {
    if (++loads === 1) throw new Error('EMFILE: too many open files')
    return Promise.resolve(actors)
  }
  const actorStreams = new ActorStreams({
    appId: 'carts',
    instance: 'carts',
    isHttpApp: false,
    actors: {load, faults: undefined},
    policies: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  } as unknown as BlockContext)
  const initialRequest = {
    entities: ['Cart'],
    actorIdleTimeout: undefined,
    drainOngoingCallTimeout: undefined,
    drainRebalancedActors: undefined,
    reentrancy: undefined,
    entitiesConfig: []
  }
  const never = new AbortController().signal
  const stream = {
    next: async () => encode(SubscribeActorEventsRequestAlpha1, {initialRequest}),
    send: () => undefined,
    left: never,
    closing: never
  } as unknown as ServerStream
  await t.rejects(subscribeActorEvents(stream, {actorStreams} as Blocks), /EMFILE/)
  const later = {} as ActorSession
  await actorStreams.open(later, types(['Cart']))
  actorStreams.closed(later)
  t.strictSame(
    actors.table.hostingsAt('carts').map(({types: hosted}) => hosted),
    [undefined]
  )
})
