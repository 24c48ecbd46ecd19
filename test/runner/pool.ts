import {fork, type ChildProcess} from 'node:child_process'
import {join} from 'node:path'
import {LIMIT_MS} from '../rig/limit.ts'
import {tie} from '../rig/tie.ts'
import {FileReader, type FileResult} from './file-result.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')

/** Where Node keeps what it has compiled: a program that a test starts from its source costs half the CPU from the second time on. */
const COMPILED = join(import.meta.dirname, '../../.cache/tests')

/** A file whose process is stuck is not waited for: some files set longer limits than the usual one. */
const STUCK_MS = LIMIT_MS * 5
/** A process that is asked to end has so long. */
const LEAVE_MS = 10_000

/** A process that has grown beyond this, in MB, is replaced. */
const MUCH_MEMORY = 600

/** What a worker tells when a file is done. */
interface Done {
  readonly cpuMs: number
  readonly megabytes: number
}

export interface PoolOptions {
  readonly jobs: number
  readonly env: Readonly<Record<string, string>>
  readonly told: (result: FileResult) => void
}

/** Runs test files in so many processes, each file after the other; a process in which a file has failed is replaced. */
export async function runFiles(files: readonly string[], {jobs, env, told}: PoolOptions): Promise<void> {
  const queue = [...files]
  const next = (): string | undefined => queue.shift()
  await Promise.all(
    Array.from({length: Math.min(jobs, files.length)}, async () => {
      for (let file = next(); file !== undefined;) file = await new Worker(env, next, told).work(file)
    })
  )
}

class Worker {
  readonly #child: ChildProcess
  readonly #next: () => string | undefined
  readonly #told: (result: FileResult) => void
  readonly #reader: FileReader
  #file = ''
  #begun = 0
  #stuck: NodeJS.Timeout | undefined

  constructor(
    env: Readonly<Record<string, string>>,
    next: () => string | undefined,
    told: (result: FileResult) => void
  ) {
    this.#next = next
    this.#told = told
    this.#child = fork(WORKER, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {NODE_COMPILE_CACHE: COMPILED, ...process.env, ...env, TAP_TIMEOUT: '0'}
    })
    this.#child.on('error', () => undefined) // it has ended: `close` tells
    tie(this.#child) // one that computes does not hear that its parent has gone
    this.#reader = new FileReader(this.#child)
  }

  /** Runs this file and those that come next; gives the one for which a new process is wanted. */
  async work(file: string): Promise<string | undefined> {
    const ended = Promise.withResolvers<undefined>()
    this.#child.once('close', () => ended.resolve(undefined))
    for (let current: string | undefined = file; current !== undefined; current = this.#next()) {
      const fresh = await this.#run(current)
      if (!fresh) break
    }
    clearTimeout(this.#stuck)
    if (this.#child.connected) this.#child.send('')
    else this.#child.kill('SIGKILL')
    // what a failed test has left open keeps its process
    const leaving = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS)
    await ended.promise
    clearTimeout(leaving)
    return this.#next()
  }

  /** False: this process is not to run another file. */
  async #run(file: string): Promise<boolean> {
    this.#file = file
    this.#begun = performance.now()
    this.#stuck = setTimeout(() => this.#child.kill('SIGKILL'), STUCK_MS)
    const done = await this.#answer()
    const ms = performance.now() - this.#begun
    // what a program has written between the lines of TAP may hide the end of the file: the limit counts until that is read
    const result = await this.#reader.result(this.#file, {ms, cpuMs: done?.cpuMs ?? 0, hasEnded: done === undefined})
    clearTimeout(this.#stuck)
    this.#told(result)
    return done !== undefined && result.failures.length === 0 && done.megabytes < MUCH_MEMORY
  }

  /** Undefined: the process has ended. */
  async #answer(): Promise<Done | undefined> {
    return new Promise(resolve => {
      const hear = (message: object): void => {
        if ('cpuMs' in message) settle(message as Done) // tap tells something, too
      }
      const settle = (done?: Done): void => {
        this.#child.off('message', hear).off('close', end)
        resolve(done)
      }
      const end = (): void => settle()
      this.#child.once('close', end).on('message', hear)
      if (this.#child.connected) this.#child.send(this.#file)
    })
  }
}
