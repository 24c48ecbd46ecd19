import {asBytes} from '../../model/bytes.ts'

/** Maximum number of unread characters; then the oldest lines are dropped. */
const MAX_WAITING = 1024 * 1024

/** Text queued for one reader of a log. Writers never wait for the reader: if it is too slow, the oldest lines are dropped. */
export class Follower {
  readonly #least: number
  #most: number
  #waiting: string[] = []
  /** Index of the first queued piece: shifting the array for each dropped piece would be slow. */
  #first = 0
  #size = 0
  #dropped = 0
  /** The last dropped piece ended within a line. */
  #isCut = false
  /** The text that the reader has received ends within a line. */
  #isMidLine = false
  #hasEnded = false
  #news = Promise.withResolvers<void>()

  /** `first`: what may wait at first, while the reader is given what is older; then half of what it has taken at once. */
  constructor(most = MAX_WAITING, first = most) {
    this.#least = most
    this.#most = first
  }

  take(text: string): void {
    if (text === '' || this.#hasEnded) return
    this.#waiting.push(text)
    this.#size += text.length
    while (this.#size > this.#most && this.#waiting.length - this.#first > 1) this.#drop()
    this.#news.resolve()
  }

  /** Ends the stream. */
  end(): void {
    this.#hasEnded = true
    this.#news.resolve()
  }

  /** The reader has left: the queue is emptied. */
  leave(): void {
    this.end()
    this.#forget()
  }

  /** Returns all queued text, after a notice about dropped lines; undefined after the end. */
  async next(): Promise<string | undefined> {
    if (this.#waiting.length === 0 && !this.#hasEnded) await this.#news.promise
    this.#news = Promise.withResolvers<void>()
    if (this.#waiting.length === 0) return undefined
    const text = this.#notice() + this.#rest()
    this.#isMidLine = !text.endsWith('\n')
    this.#most = Math.max(this.#least, text.length / 2)
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

  /** The queued text without the rest of a line whose beginning was dropped. */
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
    const notice = asBytes(`… ${count} lines dropped\n`)
    return this.#isMidLine ? `\n${notice}` : notice
  }
}
