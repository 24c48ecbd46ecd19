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
 * Below the ephemeral ports (Linux from 32768, macOS from 49152): while an app is being replaced, its port is free, and no
 * other process should get it by chance.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

export interface AppPortWishes {
  /** Names the owner of the port in errors: `"shop"`. */
  readonly whose: string
  /** Ports to try first, in order. */
  readonly wanted?: readonly number[]
}

/** Returns a free port for an app, except the taken ones. Rejects with a `UserError` without one. */
export async function freeAppPort(taken: ReadonlySet<number>, {whose, wanted = []}: AppPortWishes): Promise<number> {
  // get-port would not return a number twice within seconds
  for (const port of wanted) if (port !== 0 && !taken.has(port) && (await isFreePort(port))) return port
  const others = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  for (let tries = 0; tries < TRIES; tries++) {
    // get-port's `exclude` would refuse 0, which lets the system choose
    const port = await getPort({port: others.filter(each => !taken.has(each))}).catch((error: unknown) => {
      throw noFreePort(whose, error)
    })
    if (!taken.has(port)) return port // the system may give a number that is to stay free
  }
  throw noFreePort(whose)
}

/** Returns the error for an app without a port, with the next step. */
export const noFreePort = (whose: string, cause?: unknown): UserError =>
  new UserError(`no port is free for ${whose}`, {
    explanation: FULL.has(codeOf(cause))
      ? `${outOfFiles(codeOf(cause))}: raise the limit (ulimit -n), or end programs.`
      : `None of those that Pillion gives to apps (from ${FIRST_PORT} to ${FIRST_PORT + COUNT - 1}) is, and the system has no other one. End programs that listen: ss -ltn lists them. Or let the system give more (net.ipv4.ip_local_port_range).`,
    cause
  })

const FULL = new Set(['EMFILE', 'ENFILE'])

/** Returns the process that has a port, for messages: `node server.js (pid 4711)`; '' if unknown. */
export async function nameOwner(port: number): Promise<string> {
  const {ownerOf} = await import('../../platform/port-owners.ts')
  const owner = await ownerOf(port)
  return owner === undefined ? '' : `${owner.command} (pid ${owner.pid})`
}

/** Explains why a port is not available, with its holder, if known. */
export async function whoHolds(port: number, cause: unknown): Promise<string> {
  const code = codeOf(cause)
  const owner = code === 'EADDRINUSE' ? await nameOwner(port) : ''
  return owner === '' ? whyTaken(code) : `it is held by ${owner}`
}

/** Explains why a port is not available, without its holder. */
const whyTaken = (code: string): string =>
  code === 'EACCES'
    ? 'this user may not listen on it (EACCES)'
    : FULL.has(code)
      ? outOfFiles(code)
      : `it is taken (${code})`

const outOfFiles = (code: string): string => `no more files can be opened (${code})`

/**
 * Returns the ports for the app of the sidecar at one of `places` places. An app's port is free until the app listens; its sidecar holds
 * the place, so that two runs starting together give no port to two apps.
 */
export function appPortsAt(place: number, places: number): readonly number[] {
  const count = Math.floor(COUNT / places)
  return Array.from({length: count}, (_, index) => FIRST_PORT + place * count + index)
}

/** Number of derived ports to try before any port is used. */
const USUAL_TRIES = 10

/** Ports for apps that follow from a text, in the order to try: the same from day to day. */
export const usualAppPorts = (text: string): readonly number[] =>
  Array.from({length: USUAL_TRIES}, (_, at) => FIRST_PORT + (fnv1a(Buffer.from(`${text}\n${at}`)) % COUNT))

/** Whether nothing listens at a port. */
export const isFreePort = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false)).listen({port, exclusive: true}, () => server.close(() => resolve(true)))
  })

type Named = Pick<Plan, 'file' | 'shownAs'>

/** Returns the place of a port in a template: the value of a key with `port` in its name, else the first such number. Undefined if there is none. */
export function numberPlace({file, shownAs}: Named, port: number): Place | undefined {
  const text = orElse(() => readTextFile(file), '') // a template from standard input has no file
  const [of, any] = [String.raw`port\w*["']?\s*:\s*["']?(?:\S+:)?`, String.raw`\b`]
  const found = [of, any].map(before => new RegExp(`${before}(?=${port}\\b)`, 'i').exec(text)).find(at => at !== null)
  return found && placeIn({file: shownAs, text}, found.index + found[0].length)
}

/** Adds the place in the template to the error for a port that another program has. Returns other errors as they are. */
export function withPortPlace(error: unknown, plan: Named): unknown {
  if (!(error instanceof UserError) || error.code !== 'port-taken') return error
  const {message, stream, exitCode, code, explanation, cause} = error
  const {port = 0} = cause as {readonly port?: number}
  const place = numberPlace(plan, port)
  if (place === undefined) return error
  const explained = explainPlace(place, String(port).length, [explanation])
  return new UserError(message, {stream, exitCode, code, explanation: explained, cause})
}
