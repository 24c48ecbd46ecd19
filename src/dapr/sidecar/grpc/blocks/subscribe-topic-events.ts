import {decode, encode} from '../../../../proxy/net/grpc/message-codec.ts'
import {OK, UNKNOWN, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import {aborted} from '../../../../platform/delay.ts'
import {usualRule} from '../../../../files/resources/subscriptions.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {ServerStream} from '../server-stream.ts'
import {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../../../model/dapr/messages/pubsub.generated.ts'
import type {AttemptControl} from '../../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {AppEvent, EventAnswer, EventChannel, EventTarget} from '../../blocks/event-channel.ts'
import {answerOfStatus, topicEventOf} from './topic-event.ts'

type Settle = (answer: EventAnswer) => void

const CLOSED: EventAnswer = {kind: 'interrupted', isSent: true, text: 'stream closed'}

/** Sends events as messages of a stream that the app has opened. The app answers each by its id, in any order. */
class StreamEventChannel implements EventChannel {
  readonly #stream: ServerStream
  readonly #begun = Promise.withResolvers<void>()
  /** The sent events that wait for an answer, by id. Events with the same id are answered in the order in which they were sent. */
  readonly #waiting = new Map<string, Settle[]>()
  /** Events that are not sent yet, since the app has to read earlier messages first. */
  readonly #unsent = new Set<Settle>()
  #isClosed = false

  constructor(stream: ServerStream) {
    this.#stream = stream
  }

  /** Allows events to be sent, after the initial response. */
  begin(): void {
    this.#begun.resolve()
  }

  /** Called when the stream has ended. Interrupts all events without an answer. */
  close(): void {
    this.#isClosed = true
    this.#begun.resolve()
    const all = [...this.#unsent, ...[...this.#waiting.values()].flat()]
    this.#waiting.clear()
    for (const settle of all) settle(CLOSED)
  }

  /** Called when the app has answered an event. Ignores an unknown id. */
  processed(id: string, status: number): void {
    this.#waiting.get(id)?.[0]?.(answerOfStatus(status))
  }

  readonly ready = async (): Promise<void> => this.#begun.promise
  readonly mayRead = this.ready

  async deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer> {
    if (this.#isClosed) return CLOSED
    const eventMessage = topicEventOf(target, event)
    const bytes = encode(SubscribeTopicEventsResponseAlpha1, {eventMessage})
    const {id} = eventMessage
    return new Promise(resolve => {
      const settle: Settle = answer => {
        const left = (this.#waiting.get(id) ?? []).filter(each => each !== settle)
        if (left.length === 0) this.#waiting.delete(id)
        else this.#waiting.set(id, left)
        this.#unsent.delete(settle)
        resolve(answer)
      }
      this.#unsent.add(settle)
      attempt?.onStop(() => settle(CLOSED))
      void this.#stream.sendInTurn(bytes, () => {
        if (!this.#unsent.delete(settle)) return false
        this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), settle])
        return true
      })
    })
  }

  /** Never called: a subscription over a stream has no bulk settings. */
  async deliverBatch(): Promise<EventAnswer> {
    return Promise.resolve(CLOSED)
  }
}

const failed = (message: string): GrpcStatus => ({code: UNKNOWN, message})

/**
 * Serves a subscription that lasts as long as its stream. Unanswered events return to the broker (Dapr: pkg/api/grpc/subscribe.go,
 * pkg/runtime/pubsub/streamer). Its events have the path `/`.
 */
export async function subscribeTopicEvents(stream: ServerStream, {subscriptions}: Blocks): Promise<GrpcStatus> {
  const first = await stream.next()
  if (first === undefined) return failed('EOF')
  const {initialRequest: initial} = decode(SubscribeTopicEventsRequestAlpha1, first)
  if (initial === undefined) return failed('initial request is required')
  if (initial.pubsubName === '') return failed('pubsubName is required')
  if (initial.topic === '') return failed('topic is required')
  const channel = new StreamEventChannel(stream)
  const isGone = Promise.withResolvers<GrpcStatus>()
  const open = await subscriptions.open(
    {...initial, deadLetterTopic: initial.deadLetterTopic ?? '', rules: [usualRule('/')], bulk: undefined},
    channel,
    why => isGone.resolve(failed(why))
  )
  stream.send(encode(SubscribeTopicEventsResponseAlpha1, {initialResponse: {}}))
  channel.begin()
  try {
    return await Promise.race([answers(stream, channel), isGone.promise, closed(stream, open)])
  } finally {
    const stopped = open.stop()
    channel.close()
    await stopped
  }
}

/** Reads the caller's answers until the stream ends. */
async function answers(stream: ServerStream, channel: StreamEventChannel): Promise<GrpcStatus> {
  for (;;) {
    const message = await stream.next()
    if (message === undefined) return {code: OK, message: ''}
    const {eventProcessed: processed} = decode(SubscribeTopicEventsRequestAlpha1, message)
    if (processed === undefined) return failed('duplicate initial request received')
    channel.processed(processed.id, processed.status?.status ?? 0)
  }
}

/** Waits until the sidecar closes or the app disconnects. Then stops the subscription; open events may still be answered. */
async function closed(stream: ServerStream, open: {readonly stop: () => Promise<void>}): Promise<GrpcStatus> {
  await aborted(AbortSignal.any([stream.ended, stream.closing]))
  await open.stop()
  return failed('stream closed')
}
