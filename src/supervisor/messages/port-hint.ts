import {readFileSync} from 'node:fs'
import type {AppPlan} from '../../model/plan.ts'
import {holds} from '../../platform/listeners.ts'
import {parseSocketRow, SOCKET_TABLES} from '../../platform/proc-net.ts'
import {look} from '../../platform/process-table.ts'

/** An app as the hint needs it. */
export interface Hinted {
  readonly plan: AppPlan
  /** Its process group; 0 = none. */
  readonly pid: number
  /** 0 = none. */
  readonly appPort: number
  readonly isListening: boolean
}

/** Where an app listens that is not ready because nothing listens on its port; '' for all others, and where the system does not tell. */
export async function portHint({plan: {ready}, pid, appPort, isListening}: Hinted): Promise<string> {
  const isProbed = ready.kind === 'http' || (ready.kind === 'tcp' && [0, appPort].includes(ready.port))
  if (isListening || pid === 0 || appPort === 0 || !isProbed) return ''
  const listening = listeningSockets()
  if (listening.size === 0) return ''
  const {all} = await look()
  const pids = all.filter(({group}) => group === pid).map(process => process.pid)
  const ports = [...listening].flatMap(([port, sockets]) => (pids.some(each => holds(each, sockets)) ? [port] : []))
  if (ports.includes(appPort)) return ''
  const wanted = `its appPort ${appPort.toString()}`
  if (ports.length === 0) return `it does not listen on any port yet; ${wanted} is waited for`
  const found = `port${ports.length === 1 ? '' : 's'} ${ports.toSorted((a, b) => a - b).join(', ')}`
  return `it listens on ${found}, and not on ${wanted}`
}

const LISTENING = '0A'

/** The TCP sockets that listen, in the format of `/proc/<pid>/fd`, by port. */
function listeningSockets(): ReadonlyMap<number, ReadonlySet<string>> {
  const found = new Map<number, Set<string>>()
  for (const {state, local, inode} of SOCKET_TABLES.flatMap(rowsOf).map(parseSocketRow)) {
    if (state !== LISTENING) continue
    const port = Number.parseInt(local.slice(local.indexOf(':') + 1), 16)
    found.set(port, (found.get(port) ?? new Set()).add(`socket:[${inode}]`))
  }
  return found
}

function rowsOf(table: string): readonly string[] {
  try {
    return readFileSync(table, 'utf8').split('\n')
  } catch {
    return [] // not Linux, or no IPv6
  }
}
