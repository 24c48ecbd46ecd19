import type {CallJournal} from './call-journal.ts'
import type {Reply} from './reply.ts'

/** Maximum wait of a reply for the request's body, in ms: some callers send the body only after they have read the reply. */
const LATEST_MS = 500

/** The call that replies, such as an `Exchange`. */
interface Replying {
  replyNow(reply: Reply): void
  crash(error: unknown): void
}

/** A reply of Pillion itself that waits until the request's body has arrived, so that the record has the body for a replay. */
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

  /** Starts the wait; undefined: none is needed, since the recorder keeps no body of this length. `length`: 0: no body, -1: chunked. */
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

  /** Called when a piece of the body was recorded. Replies after the last piece, or once the recorder keeps no more. */
  arrived(isLast: boolean): void {
    if (isLast || this.#journal.requestBytes > this.#room) this.#send()
  }

  cancel(): undefined {
    clearTimeout(this.#timer)
  }
}
