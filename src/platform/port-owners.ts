// Finds the process that listens on a port: for messages, and if another program holds an app's port. Loaded when needed.
import {setImmediate as immediately} from 'node:timers/promises'
import {descriptorsOf, holds, linkAt, listenersOn, listeningRows, type Listening} from './listeners.ts'
import {isAirPlay, listeningByLsof, type ListeningSocket} from './lsof.ts'
import {readParticulars} from './proc.ts'
import {listenPlaceIn, SOCKET_TABLES, type SocketRow} from './proc-net.ts'
import {look, lookAgain} from './process-table.ts'

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
