import type {CallJournal} from './call-journal.ts'
import type {Reply} from './reply.ts'

/** Maximum wait of our reply for the body, in ms: some callers send the body only after they have read the reply. */
const LATEST_MS = 500

/** The exchange of a request. */
interface Replying {
  replyNow(reply: Reply): void
  crash(error: unknown): void
}

/** A reply of ours that waits until the body of its request has arrived, so that a replay can send the body. */
export class LateReply {
  readonly #journal: CallJournal
  readonly #room: number
  readonly #send: () => void
  readonly #timer: NodeJS.Timeout

  private constructor(journal: CallJournal, room: number, send: () => void) {
    this.#journal = journal
    this.#room = room
    this.#send = send
    this.#timer = setTimeout(send, LATEST_MS)
  }

  /** Returns undefined if the recorder does not keep a body of this length. `length`: bytes, -1: chunked. */
  static of(journal: CallJournal, length: number, exchange: Replying, reply: Reply): LateReply | undefined {
    const room = journal.observer?.roomFor?.(journal.call) ?? 0
    if (length === 0 || room <= 0 || length > room) return undefined
    return new LateReply(journal, room, () => {
      try {
        exchange.replyNow(reply)
      } catch (error) {
        exchange.crash(error)
      }
    })
  }

  /** More of the body is in the journal. */
  arrived(isLast: boolean): void {
    if (isLast || this.#journal.requestBytes > this.#room) this.#send()
  }

  cancel(): undefined {
    clearTimeout(this.#timer)
  }
}
