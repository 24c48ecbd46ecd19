import type {IncomingMessage} from 'node:http'
import {runSockets, send, text} from './ask.ts'
import type {SidecarAddress} from './messages.ts'

/** A sidecar of another run. Its run keeps the line to us open as long as the sidecar is. */
export interface SidecarLease {
  readonly told: SidecarAddress
  /** Settles when the sidecar closes or its run ends, in whatever way. */
  readonly closed: Promise<void>
  /** It is of no interest any more. */
  release(): void
}

export interface LeasesFound {
  /** That of the oldest run that has the app. */
  readonly sidecar: SidecarLease | undefined
  /** Ids of the apps that run in the other runs. */
  readonly others: readonly string[]
}

/** How long a run may take to answer. */
const TIMEOUT_MS = 1000
/** A run that has not answered (it was frozen) holds up nobody else for so long. */
const MUTE_MS = 10_000

/**
 * Asks all runs of the user at once for the sidecar of an app, except the own one. Kept by who asks: it remembers which runs
 * do not answer.
 */
export class LeaseSearch {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #self: string
  readonly #timeoutMs: number
  readonly #muteUntil = new Map<string, number>()

  /** `run`: the mark of the own run. */
  constructor(env: Readonly<Record<string, string | undefined>>, run: string, timeoutMs = TIMEOUT_MS) {
    this.#env = env
    this.#self = run.slice(0, 8)
    this.#timeoutMs = timeoutMs
  }

  async find(id: string): Promise<LeasesFound> {
    const sockets = await runSockets(this.#env)
    const now = performance.now()
    const asked = sockets.filter(({name, path}) => name !== this.#self && (this.#muteUntil.get(path) ?? 0) < now)
    const answers = (await Promise.all(asked.map(async ({path}) => this.#ask(path, id)))).filter(
      answer => answer !== undefined
    )
    const [sidecar, ...younger] = answers
      .flatMap(answer => ('told' in answer ? [answer] : []))
      .toSorted((a, b) => a.told.startedAt - b.told.startedAt)
    for (const each of younger) each.release()
    return {sidecar, others: answers.flatMap(answer => ('ids' in answer ? answer.ids : []))}
  }

  async #ask(path: string, id: string): Promise<SidecarLease | {readonly ids: readonly string[]} | undefined> {
    const timeoutMs = new AbortController()
    const timer = setTimeout(() => {
      this.#muteUntil.set(path, performance.now() + MUTE_MS)
      timeoutMs.abort()
    }, this.#timeoutMs)
    try {
      const answer = await send(path, 'GET', `/door?id=${encodeURIComponent(id)}`, timeoutMs.signal)
      if (answer.statusCode === 200) return await leaseOf(answer)
      if (answer.statusCode === 404) return {ids: JSON.parse(await text(answer)) as readonly string[]}
      answer.destroy() // a run of another version, which lends no sidecars
      return undefined
    } catch {
      return undefined // it has ended, or does not answer: then it has no sidecar for us
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The first line tells of the sidecar; that nothing follows it means that the sidecar is open. */
async function leaseOf(answer: IncomingMessage): Promise<SidecarLease> {
  const closed = Promise.withResolvers<void>()
  const told = await new Promise<string>((resolve, reject) => {
    let line = ''
    answer
      .setEncoding('utf8')
      .on('data', (piece: string) => {
        line += piece
        if (line.endsWith('\n')) resolve(line)
      })
      .on('error', reject)
      .on('close', () => {
        reject(new Error('the run has ended'))
        closed.resolve()
      })
  })
  return {told: JSON.parse(told) as SidecarAddress, closed: closed.promise, release: () => answer.destroy()}
}
