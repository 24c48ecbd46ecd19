import type {IncomingMessage} from 'node:http'
import {runSockets, send, text} from './ask.ts'
import type {SidecarAddress} from './messages.ts'
import {STOPPED_HEADERS} from './streams.ts'

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
  /** A run has the app, and it is stopped there. */
  readonly isStopped: boolean
}

/** What a run says that has no sidecar for us. */
interface NoLease {
  readonly ids: readonly string[]
  readonly isStopped: boolean
}

/** How long a run may take to respond. */
const TIMEOUT_MS = 1000
/** The time for which a run that did not respond (a frozen process, for example) is not asked again. */
const SKIP_MS = 10_000

/**
 * Asks all other runs of the user in parallel for the sidecar of an app. One instance per run, because it remembers which
 * runs do not respond.
 */
export class LeaseSearch {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #self: string
  readonly #timeoutMs: number
  readonly #skipUntil = new Map<string, number>()

  /** `run`: the marker of our own run. */
  constructor(env: Readonly<Record<string, string | undefined>>, run: string, timeoutMs = TIMEOUT_MS) {
    this.#env = env
    this.#self = run.slice(0, 8)
    this.#timeoutMs = timeoutMs
  }

  async find(id: string): Promise<LeasesFound> {
    const sockets = await runSockets(this.#env)
    const now = performance.now()
    const candidates = sockets.filter(({name, path}) => name !== this.#self && (this.#skipUntil.get(path) ?? 0) < now)
    const responses = (await Promise.all(candidates.map(async ({path}) => this.#ask(path, id)))).filter(
      response => response !== undefined
    )
    const sidecars = responses
      .flatMap(response => ('address' in response ? [response] : []))
      .toSorted((a, b) => a.address.startedAt - b.address.startedAt)
    const without = responses.flatMap(response => ('ids' in response ? [response] : []))
    return {sidecars, others: without.flatMap(({ids}) => ids), isStopped: without.some(({isStopped}) => isStopped)}
  }

  async #ask(path: string, id: string): Promise<SidecarLease | NoLease | undefined> {
    const timeout = new AbortController()
    const timer = setTimeout(() => {
      this.#skipUntil.set(path, performance.now() + SKIP_MS)
      timeout.abort()
    }, this.#timeoutMs)
    try {
      const response = await send(path, 'GET', `/sidecar?id=${encodeURIComponent(id)}`, timeout.signal)
      if (response.statusCode === 200) return await leaseOf(response)
      if (response.statusCode === 404) {
        const isStopped = response.headers['app-state'] === STOPPED_HEADERS['app-state']
        return {ids: JSON.parse(await text(response)) as readonly string[], isStopped}
      }
      response.destroy() // a run of another version that grants no leases
      return undefined
    } catch {
      return undefined // the run has ended or does not respond: it has no sidecar for us
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * The first line describes the sidecar, each further line tells how many instances are ready; while the response stays open, so
 * does the sidecar. A run of an older version says nothing of instances: it counts as one.
 */
async function leaseOf(response: IncomingMessage): Promise<SidecarLease> {
  const closed = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<SidecarAddress & {readonly ready?: number}>()
  let ready = 1
  let rest = ''
  response
    .setEncoding('utf8')
    .on('data', (piece: string) => {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines)
        if (line.startsWith('{')) opened.resolve(JSON.parse(line) as SidecarAddress)
        else ready = Number(line)
    })
    .on('error', opened.reject)
    .on('close', () => {
      opened.reject(new Error('the run has ended'))
      closed.resolve()
    })
  const {ready: atFirst = 1, ...address} = await opened.promise
  ready = atFirst
  return {
    address,
    closed: closed.promise,
    get ready() {
      return ready
    },
    release: () => response.destroy()
  }
}
