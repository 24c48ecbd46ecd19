import type {Server, Socket} from 'node:net'
import {UserError} from '../../model/errors.ts'
import type {AppPlan, PublishedPlan} from '../../model/plan.ts'
import {LOOPBACK} from '../../platform/probe.ts'
import type {Ends} from '../../platform/proc-net.ts'
import {release} from '../net/claimed-server.ts'
import {whoHolds} from '../ports/app-port.ts'
import {listen} from '../ports/bind.ts'
import type {PublishedContext} from './published-port-call.ts'
import {PublishedPort, type OwnCopy} from './published-port.ts'

interface Entry {
  readonly plan: PublishedPlan
  /** Id of the called app. An edit of the template may give the port to another app. */
  callee: string
  readonly servers: readonly Server[]
  /** undefined: `serve` has not run yet, so that connections wait in the kernel. */
  port: PublishedPort | undefined
}

/** Functions of the run that published ports need. */
export interface PublishedApps {
  /** Returns the context of calls to an app. */
  readonly contextOf: (id: string) => PublishedContext
  /** Returns the app at the other end of a connection; '': not an app of the run. */
  readonly appAt: (ends: Ends) => string
  readonly ownCopy: OwnCopy
  /** Asks another run to give up a port for this one. Resolves with the servers that listen there now; empty: no run has the port. */
  readonly freed: (port: number, hosts: readonly string[]) => Promise<readonly Server[]>
}

type Publishing = Pick<AppPlan, 'id' | 'published'>

/** The published ports of a run. The run binds them before an app starts, and keeps each while an app has it, whether or not the app runs. */
export class PublishedPorts {
  readonly #apps: PublishedApps
  readonly #entries = new Map<string, Entry>()

  constructor(apps: PublishedApps) {
    this.#apps = apps
  }

  /**
   * Binds the ports of these apps that are not bound yet. Throws a `UserError` if one is taken, or if two apps have the same port. `others`:
   * apps that have ports already. `bound`: servers that listen at the ports already.
   */
  async claim(
    apps: readonly Publishing[],
    others: readonly Publishing[] = [],
    bound: readonly Server[] = []
  ): Promise<void> {
    for (const {id, published} of apps) {
      if (published === undefined) continue
      const key = keyOf(published)
      const isThere = (each: Publishing): boolean => each.published !== undefined && keyOf(each.published) === key
      const other = [...apps, ...others].find(each => each.id !== id && isThere(each))
      if (other !== undefined)
        throw new UserError(`the apps "${id}" and "${other.id}" are both called at port ${published.number}`, {
          explanation: 'Give each another port, or leave one of them out.'
        })
      const known = this.#entries.get(key)
      if (known !== undefined) known.callee = id
      else {
        const servers = await this.#bind(id, published, bound)
        this.#entries.set(key, {plan: published, callee: id, servers, port: undefined})
      }
    }
  }

  /** Starts to serve the bound ports. */
  serve(): void {
    const {contextOf, appAt, ownCopy} = this.#apps
    for (const entry of this.#entries.values())
      entry.port ??= new PublishedPort(entry.servers, () => contextOf(entry.callee), appAt, ownCopy)
  }

  /** Closes the ports that none of these apps has. */
  async keepOnly(apps: readonly Publishing[]): Promise<void> {
    const wanted = new Set(apps.flatMap(({published}) => (published === undefined ? [] : [keyOf(published)])))
    const unwanted = [...this.#entries].filter(([key]) => !wanted.has(key))
    await Promise.all(unwanted.map(async ([key, entry]) => this.#close(key, entry, AbortSignal.abort())))
  }

  /**
   * Closes a port, so that another run can bind it. `successor`: connection to that run; omitted: no run takes over. The returned function ends
   * the remaining connections, after the other run has the port.
   */
  async leave(number: number, successor?: Socket): Promise<() => void> {
    const left = [...this.#entries].filter(([, {plan}]) => plan.number === number)
    for (const [key, {port}] of left) {
      this.#entries.delete(key)
      await port?.free(successor)
    }
    return () => {
      for (const [, {port}] of left) port?.leaveSoon()
    }
  }

  /** Returns the served port with a number; undefined: there is none. */
  at(number: number): PublishedPort | undefined {
    return [...this.#entries.values()].find(({plan}) => plan.number === number)?.port
  }

  /** Gives the ports to the runs that wait for them. */
  async handOver(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({port}) => port?.handOver()))
  }

  /** Stops accepting connections. Calls in flight may finish until the signal is aborted. */
  async close(signal?: AbortSignal): Promise<void> {
    await Promise.all([...this.#entries].map(async ([key, entry]) => this.#close(key, entry, signal)))
  }

  async #close(key: string, {servers, port}: Entry, signal: AbortSignal | undefined): Promise<void> {
    this.#entries.delete(key)
    if (port === undefined) for (const server of servers) release(server)
    else await port.close(signal)
  }

  async #bind(
    id: string,
    {host, number}: Pick<PublishedPlan, 'host' | 'number'>,
    bound: readonly Server[]
  ): Promise<readonly Server[]> {
    const hosts = hostsOf({host})
    try {
      return await listen(number, hosts, bound).catch(async (error: unknown) => {
        const freed = await this.#apps.freed(number, hosts)
        if (freed.length === 0) throw error
        return listen(number, hosts, freed)
      })
    } catch (cause) {
      const holder = await whoHolds(number, cause)
      throw new UserError(`app "${id}" cannot be called at port ${number}: ${holder}`, {
        explanation: `Its \`port\` is where Pillion listens for it. End what listens there, or choose another port for "${id}".`,
        code: 'port-taken',
        cause
      })
    }
  }
}

/** Returns the addresses at which Pillion listens for calls to an app. */
export const hostsOf = ({host}: Pick<PublishedPlan, 'host'>): readonly string[] => (host === '' ? LOOPBACK : [host])

const keyOf = ({host, number}: PublishedPlan): string => `${host}:${number}`
