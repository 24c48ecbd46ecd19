import {readFileSync} from 'node:fs'
import type {Socket} from 'node:net'

/** The two ends of a connection, as we see it. */
export type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/

/**
 * Whether the other end of a connection is a program of ours or of root's, on this machine. Who owns it stands in the
 * tables of proc(5); where there are none, any program of this machine counts.
 */
export function isOwnPeer({remoteAddress = '', remotePort = 0, localPort = 0}: Ends): boolean {
  if (!LOOPBACK.test(remoteAddress)) return false
  const tables = ['tcp', 'tcp6'].map(tableOf).join('\n')
  if (tables.trim() === '') return true
  const uid = ownerIn(tables, {from: remotePort, to: localPort})
  return uid === undefined || uid === 0 || uid === process.getuid?.()
}

/** The user of the socket that leads from one port to another of this machine, undefined where no row tells. */
export function ownerIn(tables: string, {from, to}: {from: number; to: number}): number | undefined {
  for (const row of tables.split('\n')) {
    const [, local = '', remote = '', , , , , uid] = row.trim().split(/\s+/)
    if (portIn(local) === from && portIn(remote) === to) return Number(uid)
  }
  return undefined
}

const portIn = (address: string): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16)

function tableOf(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'utf8')
  } catch {
    return '' // no such system, or no IPv6
  }
}
