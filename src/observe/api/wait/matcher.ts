import {Worker} from 'node:worker_threads'

/** Finds the first of some lines that a pattern matches. */
export interface Matcher {
  /** Returns the index of the first match; -1 without one. Rejects if the pattern takes too long. */
  find(lines: readonly string[]): Promise<number>
  close(): void
}

/** Time after which a pattern that backtracks is stopped, in ms. */
const TIMEOUT_MS = 2000

/** Whether a pattern has no special characters, so that no thread is needed. */
const isPlain = (pattern: string): boolean => !/[\\^$.*+?()[\]{}|]/.test(pattern)

export const matcherOf = (pattern: string, timeoutMs = TIMEOUT_MS): Matcher =>
  isPlain(pattern)
    ? {find: async lines => lines.findIndex(line => line.includes(pattern)), close: () => undefined}
    : new ThreadMatcher(pattern, timeoutMs)

const CODE = `
const {parentPort} = require('node:worker_threads')
parentPort.on('message', ({pattern, lines}) => {
  const expression = new RegExp(pattern)
  parentPort.postMessage(lines.findIndex(line => expression.test(line)))
})
parentPort.postMessage(-1)
`

/** A thread that all patterns share; a thread for each would take 5 MB. */
class MatchThread {
  readonly #worker: Worker
  /** Result of the current search; before the first, it resolves once the thread runs. */
  #answer = Promise.withResolvers<number>()
  readonly #begun = this.#answer.promise
  isOver = false

  constructor() {
    this.#worker = new Worker(CODE, {eval: true, env: {}, resourceLimits: {maxOldGenerationSizeMb: 64}})
    this.#worker.unref()
    this.#worker.on('message', (found: number) => this.#answer.resolve(found))
    this.#worker.on('error', (error: Error) => this.end(error))
    this.#worker.on('exit', () => this.end(ENDED))
    this.#begun.catch(() => undefined)
  }

  /** Sends lines to the thread. Call it only after the previous search has settled. Ends the thread after a timeout. */
  async find(pattern: string, lines: readonly string[], timeoutMs: number): Promise<number> {
    await this.#begun
    this.#answer = Promise.withResolvers()
    const slow = `/${pattern}/ takes too long: it backtracks too much. Write a+ instead of (a+)+, for example`
    const timer = setTimeout(() => this.end(new Error(slow)), timeoutMs)
    this.#worker.postMessage({pattern, lines}, [])
    try {
      return await this.#answer.promise
    } finally {
      clearTimeout(timer)
    }
  }

  end(why: Error): void {
    this.isOver = true
    this.#answer.reject(why)
    void this.#worker.terminate()
  }
}

let thread: MatchThread | undefined
let users = 0
let last: Promise<unknown> = Promise.resolve()

/** Matches in a thread, so that a pattern which backtracks for long does not block the calls of the run. */
class ThreadMatcher implements Matcher {
  readonly #pattern: string
  readonly #timeoutMs: number
  #isClosed = false

  constructor(pattern: string, timeoutMs: number) {
    this.#pattern = pattern
    this.#timeoutMs = timeoutMs
    users++
  }

  async find(lines: readonly string[]): Promise<number> {
    const found = last.then(async () => {
      if (this.#isClosed) throw ENDED
      if (thread === undefined || thread.isOver) thread = new MatchThread()
      return thread.find(this.#pattern, lines, this.#timeoutMs)
    })
    last = found.catch(() => undefined)
    return found
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    users--
    if (users > 0) return
    thread?.end(ENDED)
    thread = undefined
  }
}

const ENDED = new Error('matching has ended')
