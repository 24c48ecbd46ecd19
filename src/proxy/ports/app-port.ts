import {createServer} from 'node:net'
import getPort from 'get-port'
import {codeOf, UserError, type Place} from '../../model/errors.ts'
import {explainPlace} from '../../files/config/diagnose.ts'
import {placeIn} from '../../files/yaml/place.ts'
import {fnv1a} from '../../model/fnv1a.ts'
import {orElse} from '../../model/or-else.ts'
import type {Plan} from '../../model/plan.ts'
import {readTextFile} from '../../model/read-file.ts'

/**
 * First port for apps. All are below the ephemeral ports (Linux from 32768, macOS from 49152), so that no other process gets an app's
 * port by chance while the app is being replaced and its port is free.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

export interface AppPortWishes {
  /** Owner of the port, for errors: `"shop"`. */
  readonly whose: string
  /** Ports to try first, in order. */
  readonly wanted?: readonly number[]
}

/** Returns a free port for an app that is not in `taken`. Rejects with a `UserError` if there is none. */
export async function freeAppPort(taken: ReadonlySet<number>, {whose, wanted = []}: AppPortWishes): Promise<number> {
  // tests the wanted ports without get-port, which would refuse to return the same port again within seconds
  for (const port of wanted) if (port !== 0 && !taken.has(port) && (await isFreePort(port))) return port
  const others = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  for (let tries = 0; tries < TRIES; tries++) {
    // checks `taken` here: with get-port's `exclude`, the last resort 0 (the system chooses) would be refused
    const port = await getPort({port: others.filter(each => !taken.has(each))}).catch((error: unknown) => {
      throw noFreePort(whose, error)
    })
    if (!taken.has(port)) return port // the system may choose a port of `taken`
  }
  throw noFreePort(whose)
}

/** Returns the error if no port is free, with advice. */
export const noFreePort = (whose: string, cause?: unknown): UserError =>
  new UserError(`no port is free for ${whose}`, {
    explanation: FULL.has(codeOf(cause))
      ? `${outOfFiles(codeOf(cause))}: raise the limit (ulimit -n), or end programs.`
      : `None of those that Pillion gives to apps (from ${FIRST_PORT} to ${FIRST_PORT + COUNT - 1}) is, and the system has no other one. End programs that listen: ss -ltn lists them. Or let the system give more (net.ipv4.ip_local_port_range).`,
    cause
  })

const FULL = new Set(['EMFILE', 'ENFILE'])

/** Returns the process that has a port, for messages: `node server.js (pid 4711)`; '': unknown. */
export async function nameOwner(port: number): Promise<string> {
  const {ownerOf} = await import('../../platform/port-owners.ts')
  const owner = await ownerOf(port)
  return owner === undefined ? '' : `${owner.command} (pid ${owner.pid})`
}

/** Explains why a port is not available, and names its owner if known. */
export async function whoHolds(port: number, cause: unknown): Promise<string> {
  const code = codeOf(cause)
  const owner = code === 'EADDRINUSE' ? await nameOwner(port) : ''
  return owner === '' ? whyTaken(code) : `it is held by ${owner}`
}

/** Explains by the error code why a port is not available. */
const whyTaken = (code: string): string =>
  code === 'EACCES'
    ? 'this user may not listen on it (EACCES)'
    : FULL.has(code)
      ? outOfFiles(code)
      : `it is taken (${code})`

const outOfFiles = (code: string): string => `no more files can be opened (${code})`

/**
 * Returns the ports to try for the app whose sidecar has a place: each of the `places` owns a slice of the app ports. An app's port stays free
 * until the app listens, but its sidecar listens from the start. So two runs that start together never choose the same port.
 */
export function appPortsAt(place: number, places: number): readonly number[] {
  const count = Math.floor(COUNT / places)
  return Array.from({length: count}, (_, index) => FIRST_PORT + place * count + index)
}

/** Number of ports that `usualAppPorts` returns. */
const USUAL_TRIES = 10

/** Returns ports for an app, computed from a text, in the order to try: every run computes the same ones. */
export const usualAppPorts = (text: string): readonly number[] =>
  Array.from({length: USUAL_TRIES}, (_, at) => FIRST_PORT + (fnv1a(Buffer.from(`${text}\n${at}`)) % COUNT))

/** Whether nothing listens at a port. */
export const isFreePort = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false)).listen({port, exclusive: true}, () => server.close(() => resolve(true)))
  })

type Named = Pick<Plan, 'file' | 'shownAs'>

/** Returns the place of a port in a template: the value of a key with `port` in its name, else the first equal number; undefined: not found. */
export function numberPlace({file, shownAs}: Named, port: number): Place | undefined {
  const text = orElse(() => readTextFile(file), '') // a template from standard input has no file
  const [of, any] = [String.raw`port\w*["']?\s*:\s*["']?(?:\S+:)?`, String.raw`\b`]
  const found = [of, any].map(before => new RegExp(`${before}(?=${port}\\b)`, 'i').exec(text)).find(at => at !== null)
  return found && placeIn({file: shownAs, text}, found.index + found[0].length)
}

/** Adds the place in the template to the error about a taken port. Returns other errors unchanged. */
export function withPortPlace(error: unknown, plan: Named): unknown {
  if (!(error instanceof UserError) || error.code !== 'port-taken') return error
  const {message, stream, exitCode, code, explanation, cause} = error
  const {port = 0} = cause as {readonly port?: number}
  const place = numberPlace(plan, port)
  if (place === undefined) return error
  const explained = explainPlace(place, String(port).length, [explanation])
  return new UserError(message, {stream, exitCode, code, explanation: explained, cause})
}
