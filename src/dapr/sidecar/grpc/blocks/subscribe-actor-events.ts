import type {Duration} from '../../../../model/dapr/messages/google.generated.ts'
import {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1,
  type ActorEntityConfig,
  type SubscribeActorEventsRequestInitialAlpha1
} from '../../../../model/dapr/messages/actors.generated.ts'
import {decode, encode, type Message} from '../../../../proxy/net/grpc/message-codec.ts'
import {FAILED_PRECONDITION, INVALID_ARGUMENT, OK, UNKNOWN, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import type {TypeSettings} from '../../../../work/actor/actor-host.ts'
import {aborted} from '../../../../platform/delay.ts'
import type {ActorStreams} from '../../blocks/actor-streams.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import {knownDepth, knownMs, typesWith, USUAL_SETTINGS, type WarnOfSettings} from '../../hosted-types.ts'
import type {ServerStream} from '../server-stream.ts'
import {ActorStream} from './actor-stream.ts'

type ActorSettings = Message<typeof SubscribeActorEventsRequestInitialAlpha1> | Message<typeof ActorEntityConfig>

const msOf = (duration: Message<typeof Duration> | undefined): number | undefined =>
  duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6

const settingsOf = (
  {actorIdleTimeout, drainOngoingCallTimeout, drainRebalancedActors, reentrancy}: ActorSettings,
  warn: WarnOfSettings
): TypeSettings => ({
  idleMs: knownMs('actor_idle_timeout', msOf(actorIdleTimeout), USUAL_SETTINGS.idleMs, warn),
  drainMs: knownMs('drain_ongoing_call_timeout', msOf(drainOngoingCallTimeout), USUAL_SETTINGS.drainMs, warn),
  drains: drainRebalancedActors !== false,
  isReentrant: reentrancy?.enabled === true,
  maxDepth: knownDepth(reentrancy?.maxStackDepth)
})

/**
 * Serves a stream by which an app hosts actors, as long as it is open (Dapr: pkg/api/grpc/actorcallbacks.go). New work of its types is
 * sent to the newest stream; older streams finish their own. A stream without types hosts no actors: SDKs test for support with it.
 */
export async function subscribeActorEvents(stream: ServerStream, {actorStreams}: Blocks): Promise<GrpcStatus> {
  if (actorStreams.isHttpApp)
    return {code: FAILED_PRECONDITION, message: 'actor callback streaming requires a gRPC app channel'}
  const first = await stream.next()
  if (first === undefined) return {code: UNKNOWN, message: 'EOF'}
  const {initialRequest: initial} = decode(SubscribeActorEventsRequestAlpha1, first)
  if (initial === undefined) return {code: INVALID_ARGUMENT, message: 'initial request is required'}
  const names = initial.entities.filter(name => name !== '')
  const session = new ActorStream(stream)
  stream.send(encode(SubscribeActorEventsResponseAlpha1, {initialResponse: {}}))
  const warn: WarnOfSettings = text => actorStreams.warn(`the stream of its actors: ${text}`)
  const entries = initial.entitiesConfig.map(own => ({names: own.entities, settings: settingsOf(own, warn)}))
  await actorStreams.open(session, typesWith(names, settingsOf(initial, warn), entries, warn))
  try {
    return await Promise.race([answers(stream, session), closed(stream, session, actorStreams)])
  } finally {
    session.close()
    actorStreams.closed(session)
  }
}

async function answers(stream: ServerStream, session: ActorStream): Promise<GrpcStatus> {
  for (;;) {
    const message = await stream.next()
    if (message === undefined) return {code: OK, message: ''}
    session.answered(decode(SubscribeActorEventsRequestAlpha1, message))
  }
}

/** Waits for the end of the sidecar. From then on no turn begins, and open turns may end. */
async function closed(stream: ServerStream, session: ActorStream, streams: ActorStreams): Promise<GrpcStatus> {
  await aborted(AbortSignal.any([stream.left, stream.closing]))
  streams.closed(session)
  await session.idle()
  return {code: UNKNOWN, message: 'stream closed'}
}
