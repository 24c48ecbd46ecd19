import type {IncomingMessage} from 'node:http'
import {runSockets, send, text} from './ask.ts'
import type {ToldDoor} from './messages.ts'

/** A door of another run. Its run keeps the line to us open as long as the door is. */
export interface NeighbourDoor {
  readonly told: ToldDoor
  /** Settles when the door closes or its run ends, in whatever way. */
  readonly closed: Promise<void>
  /** It is of no interest any more. */
  release(): void
}

export interface DoorsFound {
  /** That of the oldest run that has the app. */
  readonly door: NeighbourDoor | undefined
  /** Ids of the apps that run in the other runs. */
  readonly others: readonly string[]
}

/** How long a run may take to answer. */
const PATIENCE_MS = 1000
/** A run that has not answered (it was frozen) holds up nobody else for so long. */
const MUTE_MS = 10_000

/**
 * Asks all runs of the user at once for the door of an app, except the own one. Kept by who asks: it remembers which runs
 * do not answer.
 */
export class DoorSearch {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #self: string
  readonly #patienceMs: number
  readonly #muteUntil = new Map<string, number>()

  /** `run`: the mark of the own run. */
  constructor(env: Readonly<Record<string, string | undefined>>, run: string, patienceMs = PATIENCE_MS) {
    this.#env = env
    this.#self = run.slice(0, 8)
    this.#patienceMs = patienceMs
  }

  async find(id: string): Promise<DoorsFound> {
    const sockets = await runSockets(this.#env)
    const now = performance.now()
    const asked = sockets.filter(({name, path}) => name !== this.#self && (this.#muteUntil.get(path) ?? 0) < now)
    const answers = (await Promise.all(asked.map(async ({path}) => this.#ask(path, id)))).filter(
      answer => answer !== undefined
    )
    const [door, ...younger] = answers
      .flatMap(answer => ('told' in answer ? [answer] : []))
      .toSorted((a, b) => a.told.startedAt - b.told.startedAt)
    for (const each of younger) each.release()
    return {door, others: answers.flatMap(answer => ('ids' in answer ? answer.ids : []))}
  }

  async #ask(path: string, id: string): Promise<NeighbourDoor | {readonly ids: readonly string[]} | undefined> {
    const patience = new AbortController()
    const timer = setTimeout(() => {
      this.#muteUntil.set(path, performance.now() + MUTE_MS)
      patience.abort()
    }, this.#patienceMs)
    try {
      const answer = await send(path, 'GET', `/door?id=${encodeURIComponent(id)}`, patience.signal)
      if (answer.statusCode === 200) return await leaseOf(answer)
      if (answer.statusCode === 404) return {ids: JSON.parse(await text(answer)) as readonly string[]}
      answer.destroy() // a run of another version, which lends no doors
      return undefined
    } catch {
      return undefined // it has ended, or does not answer: then it has no door for us
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The first line tells of the door; that nothing follows it means that the door is open. */
async function leaseOf(answer: IncomingMessage): Promise<NeighbourDoor> {
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
  return {told: JSON.parse(told) as ToldDoor, closed: closed.promise, release: () => answer.destroy()}
}
