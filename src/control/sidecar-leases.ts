import {dirname} from 'node:path'
import type {Environment} from '../model/environment.ts'
import type {NoSidecar} from '../model/api.generated.ts'
import {runSockets, type RunSocket} from './ask.ts'
import type {TemplateCopy} from './copies.ts'
import type {SidecarAddress} from './run-control.ts'
import {readRunFile} from './run-file.ts'

/** A sidecar of another run. That run keeps the connection to us open as long as the sidecar is open. */
export interface SidecarLease {
  readonly address: SidecarAddress
  /** How many instances of the app accept calls now. */
  readonly ready: number
  /** Settles when the sidecar closes or its run ends, even if it is killed. */
  readonly closed: Promise<void>
  /** Closes the connection: the lease is no longer needed. */
  release(): void
}

/** The result of a search for an app in the other runs. */
export interface LeasesFound {
  /** A sidecar of each run that has the app, oldest run first. */
  readonly sidecars: readonly SidecarLease[]
  /** Ids of the apps that run in the other runs. */
  readonly others: readonly string[]
  /** Whether a run has the app, but the user has stopped it there. */
  readonly isStopped: boolean
}

/** How long a run may take to respond. */
const TIMEOUT_MS = 1000
/** The time for which a run that did not respond (a frozen process, for example) is not asked again. */
const SKIP_MS = 10_000

/** Asks all other runs of the user in parallel for the sidecar of an app. A run has a single instance, which remembers the runs that do not respond. */
export class LeaseSearch {
  readonly #env: Environment
  readonly #self: string
  readonly #own: TemplateCopy
  readonly #timeoutMs: number
  readonly #skipUntil = new Map<string, number>()

  /** `run`: the marker of our own run. `own`: its template and copy; other copies are not asked. */
  constructor(env: Environment, run: string, own: TemplateCopy = {file: '', copy: ''}, timeoutMs = TIMEOUT_MS) {
    this.#env = env
    this.#own = own
    this.#self = run.slice(0, 8)
    this.#timeoutMs = timeoutMs
  }

  /** Asks the other runs for an app. */
  async find(id: string): Promise<LeasesFound> {
    const candidates = await this.candidates()
    const responses = (
      await Promise.all(candidates.map(async ({path}) => this.within(path, async signal => loanOf(path, id, signal))))
    ).filter(response => response !== undefined)
    const sidecars = responses
      .flatMap(response => ('address' in response ? [response] : []))
      .toSorted((a, b) => a.address.startedAt - b.address.startedAt)
    const without = responses.flatMap(response => ('running' in response ? [response] : []))
    return {
      sidecars,
      others: without.flatMap(({running}) => running),
      isStopped: without.some(({isStopped}) => isStopped)
    }
  }

  /** Returns the sockets of other runs, without runs that failed lately and copies of our template. */
  async candidates(): Promise<readonly RunSocket[]> {
    const sockets = await runSockets(this.#env)
    const now = performance.now()
    const others = sockets.filter(({name, path}) => name !== this.#self && (this.#skipUntil.get(path) ?? 0) < now)
    return others.length === 0 ? [] : this.#withoutCopies(others)
  }

  async #withoutCopies(sockets: readonly RunSocket[]): Promise<readonly RunSocket[]> {
    const {copiesAmong} = await import('./copies.ts')
    return sockets.filter(({path}) => {
      const identity = readRunFile(dirname(path))?.identity
      return identity === undefined || copiesAmong([identity], this.#own).length === 0
    })
  }

  /** Asks the run with this socket, for a limited time. */
  async within<T>(path: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const timeout = new AbortController()
    const timer = setTimeout(() => {
      this.#skipUntil.set(path, performance.now() + SKIP_MS)
      timeout.abort()
    }, this.#timeoutMs)
    try {
      return await ask(timeout.signal)
    } catch {
      return undefined // the run has ended or does not respond: it has no sidecar for us
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Reads the answer of a run about a sidecar. Its first line describes the sidecar, or reports that there is none; later lines give the
 * number of ready instances. The response stays open as long as the sidecar.
 */
async function loanOf(socketPath: string, id: string, signal: AbortSignal): Promise<SidecarLease | NoSidecar> {
  const {clientOf} = await import('./client.ts')
  const over = new AbortController()
  const loans = await clientOf(socketPath).follow('GET /apps/{id}/sidecar', {
    at: {id},
    signal: AbortSignal.any([signal, over.signal])
  })
  const first = await loans.next()
  const loan = first.value
  if (loan === undefined) throw new Error('the run has ended')
  if ('running' in loan) {
    await loans.return()
    return loan
  }
  if (!('key' in loan)) throw new Error('the run does not say where the sidecar is')
  const {ready: atFirst, ...address} = loan
  let ready = atFirst
  const follow = async (): Promise<void> => {
    for await (const next of loans) if ('ready' in next) ({ready} = next)
  }
  return {
    address,
    closed: follow(),
    get ready() {
      return ready
    },
    release: () => over.abort()
  }
}
