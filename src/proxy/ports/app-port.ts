import {createServer} from 'node:net'
import getPort from 'get-port'
import {fnv1a} from '../../model/fnv1a.ts'

/**
 * Below the ephemeral ports (Linux from 32768, macOS from 49152): while an app is being replaced, its port is free, and no
 * other process should get it by chance.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

export interface AppPortWishes {
  /** The first of these that is free is taken. */
  readonly wanted?: readonly number[]
}

/** A free port for an app, other than the given ones. */
export async function freeAppPort(taken: ReadonlySet<number>, {wanted = []}: AppPortWishes = {}): Promise<number> {
  // not by get-port, which gives no number twice within seconds
  for (const port of wanted) if (port !== 0 && !taken.has(port) && (await isFreePort(port))) return port
  const others = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  for (;;) {
    const port = await getPort({port: others.filter(each => !taken.has(each))})
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

/** How many numbers a port that follows from a text tries before it takes any. */
const USUAL_TRIES = 10

/** Ports for apps that follow from a text, in the order to try: the same from day to day. */
export const usualAppPorts = (text: string): readonly number[] =>
  Array.from({length: USUAL_TRIES}, (_, at) => FIRST_PORT + (fnv1a(Buffer.from(`${text}\n${at}`)) % COUNT))

/** Whether nobody listens there. */
export const isFreePort = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false)).listen({port, exclusive: true}, () => server.close(() => resolve(true)))
  })
