import {readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {setImmediate as yieldToOthers} from 'node:timers/promises'
import {readParticulars} from './proc.ts'
import {look} from './look.ts'

/** Who listens on a port. */
export interface Owner {
  readonly pid: number
  readonly command: string
}

/** Local addresses that accept a connection to the loopback, as the tables of proc(5) write them. */
const ACCEPTING: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1': ['0100007F', '00000000', '0'.repeat(32), '0000000000000000FFFF00000100007F'],
  '::1': ['00000000000000000000000001000000', '0'.repeat(32)]
}
const LISTENING = '0A'

/**
 * The sockets that listen on a port, as they stand in `/proc/<pid>/fd`; with an address (127.0.0.1 or ::1), those that a
 * connection to it reaches. Empty where the system does not tell: then nobody is known to listen, not: nobody listens.
 */
export function listenersOn(port: number, address?: string): ReadonlySet<string> {
  const accepting = address === undefined ? undefined : (ACCEPTING[address] ?? [])
  const rows = `${tableOf('tcp')}\n${tableOf('tcp6')}`.split('\n').map(row => row.trim().split(/\s+/))
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const isMeant = ([, local = '', , state]: readonly string[]): boolean =>
    state === LISTENING && local.endsWith(suffix) && (accepting?.includes(local.slice(0, -suffix.length)) ?? true)
  return new Set(rows.filter(isMeant).map(row => `socket:[${row[9] ?? ''}]`))
}

/** Whether a process holds one of these sockets; false for a process that we may not look into. */
export const holds = (pid: number, sockets: ReadonlySet<string>): boolean =>
  descriptorsOf(pid).some(path => sockets.has(linkAt(path)))

/** The first process that listens on a port, as far as we may look into it. */
export async function ownerOf(port: number): Promise<Owner | undefined> {
  const sockets = listenersOn(port)
  if (sockets.size === 0) return undefined
  const {all} = await look()
  for (const {pid} of all) {
    if (holds(pid, sockets)) return {pid, command: readParticulars(pid)?.command ?? ''}
    await yieldToOthers()
  }
  return undefined
}

function tableOf(name: 'tcp' | 'tcp6'): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'utf8')
  } catch {
    return '' // no such system, or no IPv6
  }
}

function descriptorsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid.toString()}/fd`
  try {
    return readdirSync(folder).map(name => `${folder}/${name}`)
  } catch {
    return [] // gone, or another user's
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed meanwhile
  }
}
