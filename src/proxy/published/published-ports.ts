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
  /** App at the port, which an edit may change. */
  callee: string
  readonly servers: readonly Server[]
  /** Server of the port. Undefined while it is bound, but not served. */
  port: PublishedPort | undefined
}

/** The apps behind published ports, and the owners of the connections to them. */
export interface PublishedApps {
  /** Returns the parts that calls to an app need. */
  readonly contextOf: (id: string) => PublishedContext
  /** Returns the app at the other end of a connection; '': none of the run. */
  readonly appAt: (ends: Ends) => string
  readonly ownCopy: OwnCopy
  /** Lets another run leave a port to this one. Resolves with the servers that listen there; none if no run does. */
  readonly freed: (port: number, hosts: readonly string[]) => Promise<readonly Server[]>
}

type Publishing = Pick<AppPlan, 'id' | 'published'>

/** The published ports of a run: bound before anything starts, and kept while any app wants them, independent of processes. */
export class PublishedPorts {
  readonly #apps: PublishedApps
  readonly #entries = new Map<string, Entry>()

  constructor(apps: PublishedApps) {
    this.#apps = apps
  }

  /**
   * Binds the ports of these apps that are not bound yet. Throws a `UserError` if one is taken, or one of `others` is called there. `bound`: servers that listen there already.
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

  /** Serves the bound ports, waiting connections first. */
  serve(): void {
    const {contextOf, appAt, ownCopy} = this.#apps
    for (const entry of this.#entries.values())
      entry.port ??= new PublishedPort(entry.servers, () => contextOf(entry.callee), appAt, ownCopy)
  }

  /** Frees the ports that none of these apps wants. */
  async keepOnly(apps: readonly Publishing[]): Promise<void> {
    const wanted = new Set(apps.flatMap(({published}) => (published === undefined ? [] : [keyOf(published)])))
    const unwanted = [...this.#entries].filter(([key]) => !wanted.has(key))
    await Promise.all(unwanted.map(async ([key, entry]) => this.#close(key, entry, AbortSignal.abort())))
  }

  /** Leaves a number, to the run at the other end of a connection if there is one. The returned function ends the connections there once that run has it. */
  async leave(number: number, heir?: Socket): Promise<() => void> {
    const left = [...this.#entries].filter(([, {plan}]) => plan.number === number)
    for (const [key, {port}] of left) {
      this.#entries.delete(key)
      await port?.free(heir)
    }
    return () => {
      for (const [, {port}] of left) port?.leaveSoon()
    }
  }

  /** The open port with a number, if there is one. */
  at(number: number): PublishedPort | undefined {
    return [...this.#entries.values()].find(({plan}) => plan.number === number)?.port
  }

  /** Leaves ports to the runs that wait for them. */
  async handOver(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({port}) => port?.handOver()))
  }

  /** Accepts nothing new; calls in flight may finish until `cut` is aborted. */
  async close(cut?: AbortSignal): Promise<void> {
    await Promise.all([...this.#entries].map(async ([key, entry]) => this.#close(key, entry, cut)))
  }

  async #close(key: string, {servers, port}: Entry, cut: AbortSignal | undefined): Promise<void> {
    this.#entries.delete(key)
    if (port === undefined) for (const server of servers) release(server)
    else await port.close(cut)
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

/** The addresses at which an app is called. */
export const hostsOf = ({host}: Pick<PublishedPlan, 'host'>): readonly string[] => (host === '' ? LOOPBACK : [host])

const keyOf = ({host, number}: PublishedPlan): string => `${host}:${number}`
