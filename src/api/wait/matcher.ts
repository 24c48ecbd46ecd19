import {Worker} from 'node:worker_threads'

/** Finds the first of some lines that a pattern matches. */
export interface Matcher {
  /** Its index; -1: none. Rejects if the pattern takes too long. */
  find(lines: readonly string[]): Promise<number>
  close(): void
}

/** A pattern that backtracks without end is stopped after this time. */
const TIMEOUT_MS = 2000

/** Text without a sign that has a meaning in a pattern needs no worker. */
const isPlain = (pattern: string): boolean => !/[\\^$.*+?()[\]{}|]/.test(pattern)

export const matcherOf = (pattern: string, timeoutMs = TIMEOUT_MS): Matcher =>
  isPlain(pattern)
    ? {find: async lines => lines.findIndex(line => line.includes(pattern)), close: () => undefined}
    : new WorkerMatcher(pattern, timeoutMs)

const CODE = `
const {parentPort, workerData} = require('node:worker_threads')
const expression = new RegExp(workerData)
parentPort.on('message', lines => parentPort.postMessage(lines.findIndex(line => expression.test(line))))
parentPort.postMessage(-1)
`

/** Matches in a thread: however long a pattern backtracks, calls go on. */
class WorkerMatcher implements Matcher {
  readonly #pattern: string
  readonly #timeoutMs: number
  readonly #worker: Worker
  readonly #begun: Promise<number>
  #answer = Promise.withResolvers<number>()

  constructor(pattern: string, timeoutMs: number) {
    this.#pattern = pattern
    this.#timeoutMs = timeoutMs
    this.#worker = new Worker(CODE, {
      eval: true,
      workerData: pattern,
      env: {},
      resourceLimits: {maxOldGenerationSizeMb: 64}
    })
    this.#worker.unref()
    this.#worker.on('message', (found: number) => this.#answer.resolve(found))
    this.#worker.on('error', error => this.#answer.reject(error))
    this.#worker.on('exit', () => this.#answer.reject(new Error('matching has ended')))
    this.#begun = this.#answer.promise
    this.#begun.catch(() => undefined)
  }

  async find(lines: readonly string[]): Promise<number> {
    await this.#begun
    this.#answer = Promise.withResolvers()
    const timer = setTimeout(() => {
      this.close()
      this.#answer.reject(
        new Error(`/${this.#pattern}/ takes too long: it backtracks too much. Write a+ instead of (a+)+, for example`)
      )
    }, this.#timeoutMs)
    this.#worker.postMessage(lines, [])
    try {
      return await this.#answer.promise
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    void this.#worker.terminate()
  }
}
