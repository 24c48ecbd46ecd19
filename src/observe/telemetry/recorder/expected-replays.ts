import type {Call, SentRequest} from '../../../model/call.ts'

/** Header with the number of the call that is sent again. */
export const REPLAY_HEADER = 'Pillion-Replay'

/** A replay that has been sent to a sidecar, and was not seen there yet. */
interface ExpectedReplay {
  readonly caller: string
  /** The call that is sent again. */
  readonly original: number
  /** Called when it was taken, with the number of its call. */
  readonly started: (number: number) => void
}

/** Recognises replays among the calls that begin. Callers ask only while replays are under way. */
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

  /** The replay that this request of a caller (of its edge: an event's is its topic) is; undefined: it is none. At a published port it comes from us: there its header names the caller. */
  find(caller: string, {isPublished}: Call, {text, size, lines}: SentRequest): ExpectedReplay | undefined {
    const head = text === undefined ? lines : text.slice(0, size)
    const original = /^pillion-replay:[ \t]*(\d{1,10})[ \t]*\r?$/im.exec(head)?.[1]
    if (original === undefined) return undefined
    return [...this.#expected].find(
      each => (isPublished === true || each.caller === caller) && each.original === Number(original)
    )
  }
}
