// Finds the process that listens on a port: for messages, and if another program holds an app's port. Loaded when needed.
import {setImmediate as immediately} from 'node:timers/promises'
import {descriptorsOf, holds, linkAt, listenersOn, listeningRows, type Listening} from './listeners.ts'
import {readParticulars} from './proc.ts'
import {listenPlaceIn, SOCKET_TABLES, type SocketRow} from './proc-net.ts'
import {look, lookAgain} from './process-table.ts'
import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

const isLinux = process.platform === 'linux'

/** The process that listens on a port. */
export interface Owner {
  readonly pid: number
  readonly command: string
}

/** Returns those of these processes that listen, as far as we may inspect them. Undefined if the system does not report it. */
export async function listeningAmong(
  pids: readonly number[],
  listening: Listening
): Promise<ReadonlySet<number> | undefined> {
  if (!isLinux) {
    const there = (await lsof(listening))?.map(({pid}) => pid)
    return there && new Set(pids.filter(pid => there.includes(pid)))
  }
  const sockets = listenersOn(listening)
  return new Set(sockets.size === 0 ? [] : pids.filter(pid => holds(pid, sockets)))
}

/** The addresses at which a process listens. */
export interface ListenPlace {
  readonly address: string
  readonly port: number
}

/** Returns the addresses at which processes listen, by port. Undefined if the system does not report them. */
export async function placesHeldBy(pids: readonly number[]): Promise<readonly ListenPlace[] | undefined> {
  const places = isLinux ? await placesInProc(pids) : (await lsof({}))?.flatMap(each => placesOfSocket(each, pids))
  return places?.toSorted((a, b) => a.port - b.port)
}

const placesOfSocket = ({pid, port, accepts}: ListeningSocket, pids: readonly number[]): readonly ListenPlace[] =>
  pids.includes(pid) ? accepts.map(address => ({address, port})) : []

async function placesInProc(pids: readonly number[]): Promise<readonly ListenPlace[] | undefined> {
  rows ??= immediately().then(() => {
    rows = undefined
    return SOCKET_TABLES.flatMap(table => [...listeningRows(table)])
  })
  const all = await rows
  if (all.length === 0) return undefined
  const held = new Set(pids.flatMap(descriptorsOf).map(linkAt))
  return all.flatMap(({local, inode}) => (held.has(`socket:[${inode}]`) ? listenPlaceIn(local) : []))
}

/** The sockets that listen. Calls of the same moment share the reading, as of two hundred apps that start together. */
let rows: Promise<readonly SocketRow[]> | undefined

/** Returns the ports on which these processes listen, in order. Undefined if the system does not report them. */
export async function portsHeldBy(pids: readonly number[]): Promise<readonly number[] | undefined> {
  const places = await placesHeldBy(pids)
  return places && [...new Set(places.map(({port}) => port))]
}

/** The sockets that listen as is asked, by macOS's `lsof`. */
async function lsof({port, addresses}: Partial<Listening>): Promise<readonly ListeningSocket[] | undefined> {
  const sockets = await listeningByLsof(port)
  return sockets?.filter(({accepts}) => addresses === undefined || accepts.some(each => addresses.includes(each)))
}

async function ownerByLsof(port: number): Promise<Owner | undefined> {
  const pid = (await lsof({port}))?.[0]?.pid
  if (pid === undefined) return undefined
  const command = (await lookAgain(pid))?.command ?? ''
  return {pid, command: isAirPlay(port, command) ? AIRPLAY : command}
}

const AIRPLAY = 'the AirPlay Receiver of macOS, which System Settings, General, AirDrop & Handoff turns off'

/** Returns the first inspectable process that listens on a port. */
export async function ownerOf(port: number): Promise<Owner | undefined> {
  if (!isLinux) return ownerByLsof(port)
  const sockets = listenersOn({port})
  if (sockets.size === 0) return undefined
  const {all} = await look()
  for (const {pid} of all) {
    if (holds(pid, sockets)) return {pid, command: readParticulars(pid)?.command ?? ''}
    await immediately()
  }
  return undefined
}

/** A socket that listens, as macOS's `lsof` lists it. */
interface ListeningSocket {
  readonly pid: number
  readonly port: number
  /** The loopback addresses (127.0.0.1, ::1) at which it accepts connections. */
  readonly accepts: readonly string[]
}

const WITHIN_MS = 5000

/** Lists the sockets of inspectable processes that listen on a port, or on any. Undefined without `lsof`. */
async function listeningByLsof(port?: number): Promise<readonly ListeningSocket[] | undefined> {
  const which = port === undefined ? '-iTCP' : `-iTCP:${port}`
  try {
    const env = {PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin`, LC_ALL: 'C'}
    const {stdout} = await promisify(execFile)('lsof', ['-nP', which, '-sTCP:LISTEN', '-Fptn'], {
      env,
      timeout: WITHIN_MS
    })
    return parseLsof(stdout)
  } catch (error) {
    // it fails if no process listens
    return (error as {code?: unknown}).code === 1 ? [] : undefined
  }
}

/** Parses the output of `lsof -Fptn`: `p`, a pid, then for each of its sockets `f` …, `t`, IPv4 or IPv6, and `n`, `ADDRESS:PORT`. */
export function parseLsof(text: string): readonly ListeningSocket[] {
  let [pid, kind] = [0, '']
  return text.split('\n').flatMap(line => {
    const value = line.slice(1)
    if (line.startsWith('p')) pid = Number(value)
    else if (line.startsWith('t')) kind = value
    if (!line.startsWith('n')) return []
    const at = value.lastIndexOf(':')
    return [{pid, port: Number(value.slice(at + 1)), accepts: acceptsAt(value.slice(0, at), kind)}]
  })
}

function acceptsAt(address: string, kind: string): readonly string[] {
  if (address === '*') return kind === 'IPv6' ? ['127.0.0.1', '::1'] : ['127.0.0.1']
  return [address.replaceAll(/[[\]]/g, '').replace(/^::ffff:/, '')]
}

/** Returns the macOS service that uses these ports, under its common name. */
export const isAirPlay = (port: number, command: string): boolean =>
  [5000, 7000].includes(port) && command.includes('ControlCenter.app/')
