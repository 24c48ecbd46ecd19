import type {AttemptControl} from '../../../gateway/interceptors/resiliency/attempt.ts'
import {encode} from '../../../net/grpc/message-codec.ts'
import type {AppEvent, EventAnswer, EventChannel, EventTarget} from '../../blocks/event-channel.ts'
import type {ServerStream} from '../server-stream.ts'
import {SubscribeTopicEventsResponseAlpha1} from '../../../dapr/messages/pubsub.generated.ts'
import {answerOfStatus, topicEventOf} from './topic-event.ts'

type Settle = (answer: EventAnswer) => void

const CLOSED: EventAnswer = {kind: 'interrupted', isSent: true, text: 'stream closed'}

/** Events as messages of a stream that the app has opened; it answers each by its id, in any order. */
export class StreamEventChannel implements EventChannel {
  readonly #stream: ServerStream
  readonly #begun = Promise.withResolvers<void>()
  /** By the ids of events; those of one id in the order in which they were sent. */
  readonly #waiting = new Map<string, Settle[]>()
  #isClosed = false

  constructor(stream: ServerStream) {
    this.#stream = stream
  }

  /** Events may be sent from now on. */
  begin(): void {
    this.#begun.resolve()
  }

  /** The stream has ended: no answer will follow. */
  close(): void {
    this.#isClosed = true
    this.#begun.resolve()
    const all = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    for (const settle of all) settle(CLOSED)
  }

  /** The caller has handled an event. An unknown id has no effect. */
  processed(id: string, status: number): void {
    this.#waiting.get(id)?.[0]?.(answerOfStatus(status))
  }

  async ready(): Promise<void> {
    await this.#begun.promise
  }

  async deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer> {
    if (this.#isClosed) return CLOSED
    const message = topicEventOf(target, event)
    const {id} = message
    return new Promise(resolve => {
      const settle: Settle = answer => {
        const left = (this.#waiting.get(id) ?? []).filter(each => each !== settle)
        if (left.length === 0) this.#waiting.delete(id)
        else this.#waiting.set(id, left)
        resolve(answer)
      }
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), settle])
      attempt?.onStop(() => settle(CLOSED))
      this.#stream.send(encode(SubscribeTopicEventsResponseAlpha1, {eventMessage: message}))
    })
  }

  /** A stream cannot deliver several events in one message. */
  async deliverBatch(): Promise<EventAnswer> {
    return Promise.resolve(CLOSED)
  }
}
