import type {Call} from '../model/call.ts'
import type {Admission} from '../proxy/gateway/admission.ts'
import {Pool} from '../proxy/net/pool.ts'

/** A copy that answers calls to the names and ports of this run. */
export interface CopyAnswers {
  /** The name of its run. */
  readonly copy: string
  readonly pid: number
  /** Ports of this machine at which it accepts the calls, by app. */
  readonly ports: Readonly<Record<string, number>>
}

/** Passes calls at this run's names and ports to another copy of its template, each request on its own, so that open connections stay. */
export class AnsweringCopy {
  readonly copy: string
  readonly pid: number
  readonly #pools: ReadonlyMap<string, Pool>
  readonly #isOwn: (app: string) => boolean
  readonly #ended: () => void
  readonly #over = Promise.withResolvers<void>()
  /** Number of open calls at the copy. */
  #calls = 0
  #isLeaving = false

  /** `isOwn`: whether an app is of this run, so that its calls stay here. `ended`: called when the copy accepts no more calls. */
  constructor({copy, pid, ports}: CopyAnswers, isOwn: (app: string) => boolean, ended: () => void) {
    this.copy = copy
    this.pid = pid
    this.#isOwn = isOwn
    this.#ended = ended
    this.#pools = new Map(Object.entries(ports).map(([id, port]) => [id, new Pool({hosts: ['127.0.0.1'], port})]))
  }

  answers(id: string): boolean {
    return this.#pools.has(id)
  }

  /** Admits a call to an app at the copy; undefined: this run answers it. `isRefused`: the copy has just refused the connection. */
  admit({caller, callee}: Call, isRefused: boolean): Admission | undefined {
    const pool = this.#pools.get(callee)
    if (pool === undefined || this.#isOwn(caller)) return undefined
    if (isRefused) {
      this.#ended()
      return undefined
    }
    this.#calls++
    return {ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: () => this.#left()}
  }

  /** Passes on no further call. Settles when the copy has answered its open calls. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    for (const pool of this.#pools.values()) pool.retire()
    if (this.#calls === 0) this.#over.resolve()
    return this.#over.promise
  }

  #left(): void {
    if (--this.#calls === 0 && this.#isLeaving) this.#over.resolve()
  }
}
