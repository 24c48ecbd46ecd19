import {closeSync, openSync, readlinkSync, readSync} from 'node:fs'
import {orElse} from '../model/or-else.ts'
import {namesInFolder} from './paths.ts'
import {parseSocketRow, portSuffix, SOCKET_TABLES, type SocketRow} from './proc-net.ts'
import {ownOf} from '../model/own.ts'

/** Local addresses that accept a connection to the loopback address, in the format of the tables of proc(5). */
const ACCEPTING: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1': ['0100007F', '00000000', '0'.repeat(32), '0000000000000000FFFF00000100007F'],
  '::1': ['00000000000000000000000001000000', '0'.repeat(32)]
}
const LISTENING = '0A'
const HEADING = 'st'

/** Listening sockets to find. */
export interface Listening {
  readonly port: number
  /** Addresses (127.0.0.1, ::1) that a socket must accept connections to. Omitted: any. */
  readonly addresses?: readonly string[]
  /** The tables of proc(5) to read. */
  readonly tables?: readonly string[]
}

/** Returns the sockets that listen on a port, as in `/proc/<pid>/fd`. Empty if the system does not report them: then a listener may exist all the same. */
export const listenersOn = (listening: Listening): ReadonlySet<string> => new Set(socketsOn(listening))

/** Whether a listening socket is known. Stops reading at the first match. */
export function isListenedOn(listening: Listening): boolean {
  for (const _ of socketsOn(listening)) return true
  return false
}

function* socketsOn({port, addresses, tables = SOCKET_TABLES}: Listening): Generator<string, void> {
  const accepting = addresses?.flatMap(address => ownOf(ACCEPTING, address) ?? [])
  const suffix = portSuffix(port)
  for (const table of tables) {
    for (const {local, inode} of listeningRows(table)) {
      const hasRoute = local.endsWith(suffix) && (accepting?.includes(local.slice(0, -suffix.length)) ?? true)
      if (hasRoute) yield `socket:[${inode}]`
    }
  }
}

/** Whether a process has one of these sockets open; false: it has not, or must not be inspected. */
export const holds = (pid: number, sockets: ReadonlySet<string>): boolean =>
  descriptorsOf(pid).some(path => sockets.has(linkAt(path)))

/** Whether this system has a readable table. */
export const hasTable = (table: string): boolean =>
  orElse(() => {
    closeSync(openSync(table, 'r'))
    return true
  }, false)

/** A few rows: the kernel fills the whole buffer, and may walk a long table to find the next connection. */
const CHUNK_BYTES = 512

/**
 * Yields the rows of listening sockets. Linux writes them before those of connections (`tcp_seq_start` in net/ipv4/tcp_ipv4.c), which may
 * be tens of thousands: reading stops there.
 */
export function* listeningRows(table: string): Generator<SocketRow> {
  // not Linux, or no IPv6
  const file = orElse(() => openSync(table, 'r'), undefined)
  if (file === undefined) return
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let text = ''
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      const rows = (text + chunk.toString('latin1', 0, size)).split('\n')
      text = rows.pop() ?? ''
      for (const row of rows) {
        const socket = parseSocketRow(row)
        if (socket.state === LISTENING) yield socket
        else if (socket.state !== HEADING) return
      }
    }
  } finally {
    closeSync(file)
  }
}

export function descriptorsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return namesInFolder(folder).map(name => `${folder}/${name}`)
}

export const linkAt = (path: string): string =>
  // closed in the meantime
  orElse(() => readlinkSync(path), '')
