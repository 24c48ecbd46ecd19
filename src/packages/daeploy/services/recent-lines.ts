import {aborted} from '../../../platform/delay.ts'
import {appPrefix} from '../../../model/text-lines.ts'
import type {ServiceLogsWanted} from '../management.ts'

interface Line {
  /** ms since 1970. */
  readonly at: number
  /** Line in UTF-8 with its newline. A part of a very long line has none. */
  readonly text: string
  readonly number: number
}

/** The log of an app, as a source of its latest lines. */
export interface LogSource {
  /** Calls `take` with new text. Returns a function that ends this. */
  tap(take: (text: string) => void): () => void
  /** Aborted when the log is complete. */
  readonly closed: AbortSignal
}

const MAX_LINES = 10_000
const MAX_CHARACTERS = 8 * 1024 * 1024
/** Length from which on an incomplete line, such as an endless progress bar, is kept in parts. */
const MAX_OPEN = 64 * 1024
/** Matches an incomplete UTF-8 character at the end of a text. */
const UNFINISHED = /[\xc2-\xf4][\x80-\xbf]{0,2}$/

/** The last lines of an app with their times, without prefixes and without Pillion's status lines. */
export class RecentLines {
  readonly #prefix: string
  #lines: Line[] = []
  #characters = 0
  #count = 0
  /** Received part of the incomplete line. */
  #rest = ''
  /** Whether earlier parts of the incomplete line were kept; undefined: it has no earlier parts. */
  #isPart: boolean | undefined
  #hasEnded = false
  readonly #waiting = new Set<() => void>()

  /** `name`: name of the app in the prefix of its log lines. */
  constructor(name: string, record: LogSource) {
    this.#prefix = appPrefix(name)
    const unsubscribe = record.tap(text => this.#take(text, Date.now()))
    void this.#awaitEnd(record.closed, unsubscribe)
  }

  async #awaitEnd(closed: AbortSignal, unsubscribe: () => void): Promise<void> {
    await aborted(closed)
    unsubscribe()
    this.#hasEnded = true
    this.#wake()
  }

  /** Yields the kept lines and, with `isFollowed`, new ones. A slow reader misses lines. */
  async *read({tail, isFollowed, since}: ServiceLogsWanted, gone: AbortSignal): AsyncGenerator<string> {
    const kept = this.#lines.filter(({at}) => at >= since)
    const first = tail === 0 ? kept[0] : kept[Math.max(0, kept.length - tail)]
    let next = first?.number ?? this.#count
    const wake = (): void => this.#wake()
    gone.addEventListener('abort', wake, {once: true})
    try {
      while (!gone.aborted) {
        const lines = this.#lines.filter(({number}) => number >= next)
        next = (lines.at(-1)?.number ?? next - 1) + 1
        if (lines.length > 0) yield lines.map(({text}) => text).join('')
        else if (isFollowed && !this.#hasEnded) await new Promise<void>(resolve => this.#waiting.add(resolve))
        else return
        if (!isFollowed) return // an app that always prints would keep the loop running
      }
    } finally {
      gone.removeEventListener('abort', wake)
    }
  }

  #take(text: string, at: number): void {
    const [first = '', ...pieces] = text.split('\n')
    this.#rest += first
    for (const piece of pieces) {
      this.#add(`${this.#rest}\n`, at)
      this.#isPart = undefined
      this.#rest = piece
    }
    if (this.#rest.length > MAX_OPEN) {
      const end = UNFINISHED.exec(this.#rest)?.index ?? this.#rest.length
      this.#isPart = this.#add(this.#rest.slice(0, end), at)
      this.#rest = this.#rest.slice(end)
    }
    if (this.#lines.length > 2 * MAX_LINES || this.#characters > 2 * MAX_CHARACTERS) this.#forget()
    this.#wake()
  }

  /** Adds a line of the app, or a part of one. Returns false for a line without the app's prefix, which is a status line. */
  #add(piece: string, at: number): boolean {
    const isKept = this.#isPart ?? piece.startsWith(this.#prefix)
    if (!isKept) return false
    const own = this.#isPart === undefined ? piece.slice(this.#prefix.length) : piece
    const text = Buffer.from(own, 'latin1').toString()
    this.#lines.push({at, text, number: this.#count++})
    this.#characters += text.length
    return true
  }

  #forget(): void {
    let characters = 0
    let from = this.#lines.length
    while (from > 0 && this.#lines.length - from < MAX_LINES && characters < MAX_CHARACTERS)
      characters += this.#lines[--from]?.text.length ?? 0
    this.#lines = this.#lines.slice(from)
    this.#characters = characters
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
