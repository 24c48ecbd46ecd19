import type {Duration} from '../../../../model/dapr/messages/google.generated.ts'
import {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1,
  type ActorEntityConfig,
  type SubscribeActorEventsRequestInitialAlpha1
} from '../../../../model/dapr/messages/actors.generated.ts'
import {decode, encode, type Message} from '../../../../proxy/net/grpc/message-codec.ts'
import {FAILED_PRECONDITION, INVALID_ARGUMENT, OK, UNKNOWN, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import type {TypeSettings, ActorAnswer, ActorRequest} from '../../../../work/actor/actor-host.ts'
import {aborted} from '../../../../platform/delay.ts'
import type {ActorStreams, ActorSession} from '../../blocks/actor-streams.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import {knownDepth, knownMs, typesWith, USUAL_SETTINGS, type WarnOfSettings} from '../../hosted-types.ts'
import type {ServerStream} from '../server-stream.ts'
import {decoded} from '../../../../model/bytes.ts'
import {pairsOf} from '../../../../proxy/net/http1/header-lines.ts'
import {headerLines} from '../../http/blocks/app-headers.ts'
import {bytesValue} from '../../operations/actor-grpc.ts'
import {emptyRecord} from '../../../../model/own.ts'

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
 * Serves a stream by which an app hosts actors, until it ends (Dapr: pkg/api/grpc/actorcallbacks.go). New work of a type is sent to the
 * newest stream with the type; older streams finish their work. SDKs test for support with a stream without types, which hosts no actors.
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

/** Reads the app's answers until it ends its side of the stream. */
async function answers(stream: ServerStream, session: ActorStream): Promise<GrpcStatus> {
  for (;;) {
    const message = await stream.next()
    if (message === undefined) return {code: OK, message: ''}
    session.answered(decode(SubscribeActorEventsRequestAlpha1, message))
  }
}

/** Waits until the sidecar closes or the app disconnects. From then on no turn begins, and open turns may end. */
async function closed(stream: ServerStream, session: ActorStream, streams: ActorStreams): Promise<GrpcStatus> {
  await aborted(AbortSignal.any([stream.ended, stream.closing]))
  streams.closed(session)
  await session.idle()
  return {code: UNKNOWN, message: 'stream closed'}
}

type Answer = Message<typeof SubscribeActorEventsRequestAlpha1>
type Sent = Partial<Message<typeof SubscribeActorEventsResponseAlpha1>>

const GONE = {kind: 'lost', why: 'actor host disconnected before responding', wasSent: true} as const
const NOT_FOUND = 5
/** Header line that marks an answer as the actor's own error. */
const OWN_ERROR = 'X-DaprErrorResponseHeader: true\r\n'
/** Headers that belong to the connection of the caller. */
const OF_CONNECTION = /^(?:connection|keep-alive|proxy-.*|transfer-encoding|upgrade|te|trailer|content-length|date)$/i

/** A stream over which an app hosts actors. Each request has an id, which its answer repeats. */
class ActorStream implements ActorSession {
  readonly #stream: ServerStream
  readonly #waiting = new Map<string, (answer: ActorAnswer) => void>()
  #whenIdle: (() => void) | undefined
  #count = 0
  #isClosed = false

  constructor(stream: ServerStream) {
    this.#stream = stream
  }

  get isBusy(): boolean {
    return this.#waiting.size > 0
  }

  /** Settles when the app has answered all requests. */
  async idle(): Promise<void> {
    if (this.isBusy) await new Promise<void>(resolve => (this.#whenIdle = resolve))
  }

  async send({type: actorType, id: actorId, work, reentrancyId, onStop}: ActorRequest): Promise<ActorAnswer> {
    const actor = {actorType, actorId}
    return this.#ask(id => {
      if (work.kind !== 'method') {
        const {name, dueTime, period, callback} = work
        const firing = {id, ...actor, name, data: bytesValue(work.data)}
        if (work.kind === 'reminder') return {reminderRequest: {...firing, dueTime: '', period: ''}}
        return {timerRequest: {...firing, dueTime, period, callback}}
      }
      const metadata = metadataOf(work.lines)
      if (reentrancyId !== '') metadata['Dapr-Reentrancy-Id'] = reentrancyId
      return {invokeRequest: {id, ...actor, method: work.method, data: work.body, metadata}}
    }, onStop)
  }

  async deactivate(actorType: string, actorId: string, signal: AbortSignal | undefined): Promise<boolean> {
    const {promise, resolve} = Promise.withResolvers<void>()
    const stop = (): void => resolve()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, {once: true})
    try {
      const {kind} = await this.#ask(
        id => ({deactivateRequest: {id, actorType, actorId}}),
        listener => void promise.then(listener)
      )
      return kind === 'done'
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Handles an answer of the app. Ignores an answer to a request that was given up. */
  answered({invokeResponse, reminderResponse, timerResponse, deactivateResponse, requestFailed}: Answer): void {
    const fired = reminderResponse ?? timerResponse
    const over = fired ?? deactivateResponse
    if (invokeResponse !== undefined) {
      const {id, data, metadata, error} = invokeResponse
      const isCancelled = false
      const lines = headerLines(metadata, OF_CONNECTION) + (error ? OWN_ERROR : '')
      this.#settle(id, {kind: 'done', lines, body: Buffer.from(data), isError: error, isCancelled})
    } else if (requestFailed !== undefined) {
      const {id, code, message} = requestFailed
      this.#settle(id, code === NOT_FOUND ? {kind: 'unknown'} : {kind: 'failed', status: 0, text: message})
    } else if (over !== undefined) {
      const isCancelled = fired?.cancel === true
      this.#settle(over.id, {kind: 'done', lines: '', body: Buffer.alloc(0), isError: false, isCancelled})
    }
  }

  close(): void {
    this.#isClosed = true
    for (const id of this.#waiting.keys()) this.#settle(id, GONE)
  }

  async #ask(request: (id: string) => Sent, onStop?: ActorRequest['onStop']): Promise<ActorAnswer> {
    if (this.#isClosed) return {...GONE, wasSent: false}
    const id = (++this.#count).toString()
    const message = encode(SubscribeActorEventsResponseAlpha1, request(id))
    return new Promise(resolve => {
      this.#waiting.set(id, resolve)
      onStop?.(() => this.#settle(id, {kind: 'lost', why: 'it was given up', wasSent: true}))
      void this.#stream.sendInTurn(message, () => this.#waiting.has(id))
    })
  }

  #settle(id: string, answer: ActorAnswer): void {
    const settle = this.#waiting.get(id)
    this.#waiting.delete(id)
    settle?.(answer)
    if (!this.isBusy) this.#whenIdle?.()
  }
}

function metadataOf(lines: string): Record<string, string> {
  const pairs = pairsOf(lines)
  const metadata = emptyRecord<string>()
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at] ?? ''
    if (name.toLowerCase() !== 'dapr-reentrancy-id') metadata[name] = decoded(pairs[at + 1] ?? '')
  }
  return metadata
}
