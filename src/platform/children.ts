import {constants} from 'node:os'
import type {Exit} from '../model/app-state.ts'
import type {CFunction} from './experimental.ts'

/** The constant of sys/wait.h. */
const WNOHANG = 1

/** The names of signals by number; of two names for one number the usual one: SIGABRT, not SIGIOT. */
const SIGNALS = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name as NodeJS.Signals])
)

/** A process that we have started, until it is reaped. */
export interface Child {
  readonly pid: number
  /** Settles when the process has exited and was reaped. */
  readonly exited: Promise<Exit>
  /** Whether the process was reaped; then its pid may belong to another process. */
  readonly hasExited: () => boolean
}

/** Child processes unknown to Node. Waits for each by its pid at every SIGCHLD. Node does the same for its own children, so neither reaps a child of the other. */
export class Children {
  readonly #waitpid: CFunction
  readonly #waiting = new Map<number, (exit: Exit) => void>()
  /** Children that keep us running. */
  readonly #kept = new Set<number>()
  readonly #status = Buffer.alloc(4)
  #keepAlive: NodeJS.Timeout | undefined

  /** Listens from now on: a child can exit before its start has returned. */
  constructor(waitpid: CFunction) {
    this.#waitpid = waitpid
    process.on('SIGCHLD', () => this.#reap())
  }

  /** Keeps us running until the child is reaped, unless it `isUnref`. */
  add(pid: number, isUnref: boolean): Child {
    const {promise, resolve} = Promise.withResolvers<Exit>()
    this.#waiting.set(pid, resolve)
    if (!isUnref) {
      this.#kept.add(pid)
      this.#keepAlive ??= setInterval(() => undefined, 2 ** 30)
    }
    return {pid, exited: promise, hasExited: () => this.#waiting.get(pid) !== resolve}
  }

  /** Reaps all exited children, since one signal can mean several. */
  #reap(): void {
    for (const [pid, resolve] of this.#waiting) {
      if (this.#waitpid(pid, this.#status, WNOHANG) !== pid) continue
      this.#waiting.delete(pid)
      this.#kept.delete(pid)
      resolve(exitOf(this.#status.readInt32LE()))
    }
    if (this.#kept.size > 0) return
    clearInterval(this.#keepAlive)
    this.#keepAlive = undefined
  }
}

/** The macros of wait(2). */
function exitOf(status: number): Exit {
  const signal = SIGNALS.get(status & 0x7f)
  return signal === undefined ? {kind: 'code', code: (status >> 8) & 0xff} : {kind: 'signal', signal}
}
