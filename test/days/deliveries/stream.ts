import type {ServerStream} from '../../../src/dapr/sidecar/grpc/server-stream.ts'
import {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../../src/model/dapr/messages/pubsub.generated.ts'
import {decode, encode, type Message} from '../../../src/proxy/net/grpc/message-codec.ts'
import {StartQueue} from '../../rig/queue.ts'
import {STREAMED, type Witness} from './witness.ts'

const VERDICTS = ['success', 'failed', 'drop'] as const

/** A stream by which a process reads a topic. */
export class Stream {
  readonly pid: number
  /** Events that it has, and has not answered. */
  hand: readonly string[] = []
  isSlow = false
  isOver = false
  readonly serverStream: ServerStream
  readonly #witness: Witness
  readonly #sent = new StartQueue<Uint8Array | 'end'>()
  readonly #left = new AbortController()
  readonly #closing = new AbortController()
  #room = Promise.withResolvers<void>()

  constructor(witness: Witness, pid: number) {
    this.pid = pid
    this.#witness = witness
    this.#sent.put(
      encode(SubscribeTopicEventsRequestAlpha1, {
        initialRequest: {pubsubName: 'bus', topic: STREAMED, metadata: {}, deadLetterTopic: undefined}
      })
    )
    this.serverStream = {
      next: async () => {
        const message = await this.#sent.take()
        return message === 'end' ? undefined : message
      },
      send: (bytes: Uint8Array) => this.#take(decode(SubscribeTopicEventsResponseAlpha1, bytes)),
      sendInTurn: async (bytes: Uint8Array, isWanted: () => boolean) => {
        while (this.isSlow && !this.isOver) await this.#room.promise
        if (isWanted() && !this.isOver) this.#take(decode(SubscribeTopicEventsResponseAlpha1, bytes))
      },
      ended: this.#left.signal,
      closing: this.#closing.signal
    } as unknown as ServerStream
  }

  #take({eventMessage}: Message<typeof SubscribeTopicEventsResponseAlpha1>): void {
    if (eventMessage === undefined || this.isOver) return
    this.hand = [...this.hand, eventMessage.id]
    this.#witness.sent(STREAMED, eventMessage.id)
  }

  /** It answers an event: 0: done, 1: again, 2: drop. */
  answer(id: string, status: 0 | 1 | 2): void {
    if (!this.hand.includes(id)) return
    this.hand = this.hand.filter(each => each !== id)
    this.#witness.answered(STREAMED, id, VERDICTS[status])
    this.#sent.put(encode(SubscribeTopicEventsRequestAlpha1, {eventProcessed: {id, status: {status}}}))
  }

  slow(isSlow: boolean): void {
    this.isSlow = isSlow
    this.#room.resolve()
    this.#room = Promise.withResolvers()
  }

  /** It says that it sends no more. */
  halfClose(): void {
    this.#lose()
    this.#sent.put('end')
  }

  /** Its connection is gone. */
  leave(): void {
    this.over()
    this.#left.abort()
  }

  over(): void {
    this.isOver = true
    this.#lose()
    this.#sent.put('end')
    this.slow(false)
  }

  /** What it has is not answered any more. */
  #lose(): void {
    for (const id of this.hand) this.#witness.answered(STREAMED, id, 'lost')
    this.hand = []
  }
}
