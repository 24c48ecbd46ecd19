import type {AppResources} from '../../../src/files/resources/app-resources.ts'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import type {AppProcessOptions} from '../../../src/supervisor/process/app-process.ts'
import {current, type Machine} from '../simulated/machine.ts'

/** What listens at a number, or is bound there for somebody. */
export interface Server {
  readonly number: number
  state: 'claimed' | 'served' | 'closed'
}

/** A sidecar that is open. */
export interface Opened {
  readonly runtime: AppRuntime
  readonly resources: AppResources
}

/** What the parts of a machine note: who holds what, and what was not as it must be. */
export class Ledger {
  readonly faults: string[] = []
  readonly held = new Map<number, Server>()
  readonly opened = new Set<Opened>()
  /** How each process was started, by its number. */
  readonly launched = new Map<number, AppProcessOptions>()
  /** The grace period of each process, and those that the watchdog watches. */
  readonly graces = new Map<number, number>()
  /** The folders and files that somebody follows. */
  readonly followed: (readonly string[])[] = []
  /** The grace of processes that nobody knows any more, at the end of the run. */
  lastGraceMs: number | undefined

  hold(number: number): Server {
    if (this.held.has(number)) this.fault(`port ${number} is held twice`)
    const server: Server = {number, state: 'claimed'}
    this.held.set(number, server)
    return server
  }

  free(server: Server): void {
    if (server.state === 'closed') this.fault(`port ${server.number} is freed twice`)
    server.state = 'closed'
    if (this.held.get(server.number) === server) this.held.delete(server.number)
  }

  fault(text: string): void {
    if (this.faults.length < 5) this.faults.push(text)
  }
}

const ledgers = new WeakMap<Machine, Ledger>()

export function ledgerOf(machine: Machine = current.machine): Ledger {
  const known = ledgers.get(machine)
  if (known !== undefined) return known
  const made = new Ledger()
  ledgers.set(machine, made)
  return made
}
