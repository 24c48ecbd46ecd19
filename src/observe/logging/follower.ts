import {asBytes} from '../../model/bytes.ts'
import {linesIn} from '../../model/text-lines.ts'

/** Maximum number of unread characters; then the oldest lines are dropped. */
const MAX_WAITING = 1024 * 1024

/** Whole lines queued for one reader of a log. Writers never wait for the reader: if it is too slow, the oldest lines are dropped. */
export class Follower {
  readonly #least: number
  #most: number
  #waiting: string[] = []
  /** Index of the first queued piece: shifting the array for each dropped piece would be slow. */
  #first = 0
  #size = 0
  #dropped = 0
  #hasEnded = false
  #news = Promise.withResolvers<void>()

  /** `first`: limit of waiting text until the first `next`, while the reader reads older lines. Afterwards `most`, or half of the text read last if that is more. */
  constructor(most = MAX_WAITING, first = most) {
    this.#least = most
    this.#most = first
  }

  take(lines: string): void {
    if (lines === '' || this.#hasEnded) return
    this.#waiting.push(lines)
    this.#size += lines.length
    while (this.#size > this.#most && this.#waiting.length - this.#first > 1) this.#drop()
    this.#news.resolve()
  }

  end(): void {
    this.#hasEnded = true
    this.#news.resolve()
  }

  /** Ends and empties the queue, since the reader has left. */
  leave(): void {
    this.end()
    this.#forget()
  }

  /** Returns all queued lines, after a notice about dropped ones. Undefined after the end. */
  async next(): Promise<string | undefined> {
    if (this.#waiting.length === 0 && !this.#hasEnded) await this.#news.promise
    this.#news = Promise.withResolvers<void>()
    if (this.#waiting.length === 0) return undefined
    const notice = this.#dropped === 0 ? '' : asBytes(`… ${this.#dropped} lines dropped\n`)
    const text = notice + this.#waiting.join('')
    this.#dropped = 0
    this.#forget()
    this.#most = Math.max(this.#least, text.length / 2)
    return text
  }

  #drop(): void {
    const lines = this.#waiting[this.#first] ?? ''
    this.#waiting[this.#first++] = ''
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
    this.#size -= lines.length
    this.#dropped += linesIn(lines)
  }

  #forget(): void {
    this.#waiting = []
    this.#first = 0
    this.#size = 0
  }
}
