import {createServer} from 'node:net'
import getPort from 'get-port'

/**
 * Below the ephemeral ports (Linux from 32768, macOS from 49152): while an app is being replaced, its port is free, and no
 * other process should get it by chance.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

export interface AppPortWishes {
  /** Taken if it is free; 0 = none. */
  readonly wanted?: number
  /** Tried before all others, in any order. */
  readonly preferred?: readonly number[]
}

/** A free port for an app, other than the given ones. */
export async function freeAppPort(
  taken: ReadonlySet<number>,
  {wanted = 0, preferred = []}: AppPortWishes = {}
): Promise<number> {
  // not by get-port, which gives no number twice within seconds
  if (wanted !== 0 && !taken.has(wanted) && (await isFree(wanted))) return wanted
  const others = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  // from any of them: one that was used a moment ago may not be free for every program (TIME-WAIT)
  const start = Math.floor(Math.random() * preferred.length)
  const tries = [...preferred.slice(start), ...preferred.slice(0, start), ...others]
  for (;;) {
    const port = await getPort({port: tries.filter(each => !taken.has(each))})
    if (!taken.has(port)) return port
  }
}

/**
 * The ports for the app of a sidecar at one of so many places. Nobody holds an app's port until the app listens; the place is
 * held by the sidecar, so that two runs that start at once do not give one port to two apps.
 */
export function appPortsAt(place: number, places: number): readonly number[] {
  const count = Math.floor(COUNT / places)
  return Array.from({length: count}, (_, index) => FIRST_PORT + place * count + index)
}

const isFree = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false)).listen({port, exclusive: true}, () => server.close(() => resolve(true)))
  })
