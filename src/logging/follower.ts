import {asBytes} from './prefix.ts'

/** Characters that wait for a reader before the oldest are dropped. */
const MAX_WAITING = 1024 * 1024

/** What waits for one reader of a log. Nobody waits for him: what is too much is dropped, the oldest first, whole lines. */
export class Follower {
  readonly #most: number
  #waiting: string[] = []
  /** Where the first that waits is: to move all others up for each that is dropped would cost more than all else. */
  #first = 0
  #size = 0
  #dropped = 0
  /** The piece before the first that waits was dropped, and its line goes on. */
  #isCut = false
  /** What the reader has ends within a line. */
  #isMidLine = false
  #hasEnded = false
  #news = Promise.withResolvers<void>()

  constructor(most = MAX_WAITING) {
    this.#most = most
  }

  take(text: string): void {
    if (text === '' || this.#hasEnded) return
    this.#waiting.push(text)
    this.#size += text.length
    while (this.#size > this.#most && this.#waiting.length - this.#first > 1) this.#drop()
    this.#news.resolve()
  }

  /** Nothing more will come. */
  end(): void {
    this.#hasEnded = true
    this.#news.resolve()
  }

  /** The reader has left: nothing is kept for him. */
  leave(): void {
    this.end()
    this.#forget()
  }

  /** All that waits, with a word about what was dropped before it; undefined after the end. */
  async next(): Promise<string | undefined> {
    if (this.#waiting.length === 0 && !this.#hasEnded) await this.#news.promise
    this.#news = Promise.withResolvers<void>()
    if (this.#waiting.length === 0) return undefined
    const text = this.#notice() + this.#rest()
    this.#isMidLine = !text.endsWith('\n')
    return text
  }

  #drop(): void {
    const text = this.#waiting[this.#first] ?? ''
    this.#waiting[this.#first++] = ''
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
    this.#size -= text.length
    this.#dropped += text.split('\n').length - 1
    this.#isCut = !text.endsWith('\n')
  }

  /** What waits, but for the end of a line whose beginning was dropped. */
  #rest(): string {
    let text = this.#waiting.join('')
    if (this.#isCut) {
      const end = text.indexOf('\n')
      text = text.slice(end < 0 ? text.length : end + 1)
    }
    this.#forget()
    this.#isCut = false
    return text
  }

  #forget(): void {
    this.#waiting = []
    this.#first = 0
    this.#size = 0
  }

  #notice(): string {
    const count = this.#dropped + (this.#isCut ? 1 : 0)
    this.#dropped = 0
    if (count === 0) return ''
    const notice = asBytes(`… ${count.toString()} lines dropped\n`)
    return this.#isMidLine ? `\n${notice}` : notice
  }
}
