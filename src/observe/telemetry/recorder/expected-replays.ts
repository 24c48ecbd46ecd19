import type {Call, SentRequest} from '../../../model/call.ts'

/** Header with the number of the call that is sent again. */
export const REPLAY_HEADER = 'Pillion-Replay'

/** A replay that was sent to a sidecar, whose call has not begun yet. */
interface ExpectedReplay {
  readonly caller: string
  /** The call that is sent again. */
  readonly original: number
  readonly started: (number: number) => void
}

/** Recognizes replays among the calls that begin. Used only while replays are under way. */
export class ExpectedReplays {
  readonly #expected = new Set<ExpectedReplay>()

  get isEmpty(): boolean {
    return this.#expected.size === 0
  }

  add(replay: ExpectedReplay): void {
    this.#expected.add(replay)
  }

  remove(replay: ExpectedReplay): void {
    this.#expected.delete(replay)
  }

  /**
   * Returns the expected replay that a request is, if any. `caller`: caller of the edge; for an event its topic. At a published port
   * Pillion sends the replay itself, so only the number in its header is compared.
   */
  find(caller: string, {isPublished}: Call, {text, size, lines}: SentRequest): ExpectedReplay | undefined {
    const head = text === undefined ? lines : text.slice(0, size)
    const original = /^pillion-replay:[ \t]*(\d{1,10})[ \t]*\r?$/im.exec(head)?.[1]
    if (original === undefined) return undefined
    return [...this.#expected].find(
      each => (isPublished === true || each.caller === caller) && each.original === Number(original)
    )
  }
}
