import type {Server} from 'node:net'
import {livingRunsIn} from '../control/living-runs.ts'
import type {RunIdentity} from '../control/run-file.ts'
import {DEFAULT_PORTS, ENTRANCE_PORT} from '../model/app-name.ts'
import type {Environment} from '../model/environment.ts'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {listenPorts, type Plan} from '../model/plan.ts'
import {LOOPBACK, SHARED_HOST} from '../platform/probe.ts'
import {listen, portOf} from '../proxy/ports/bind.ts'

/** How long the ports of another run's entrance count, in ms. */
const LOOK_MS = 1000

/** The ports of the entrance: the first one is needed, the others shorten addresses. */
export class EntrancePorts {
  readonly first: number
  readonly #others: readonly number[]
  /** Servers that this run has bound. */
  bound: readonly Server[] = []
  /** Ports of the entrance of another run, and when they are looked up again, as of `performance.now`. */
  #known: readonly number[] = []
  #lookAt = 0

  /** Root gets the first one alone: the system's servers use the others. */
  constructor({PILLION_NAMES_PORT: wanted = ''}: Environment) {
    const ports = wanted.split(',').map(Number)
    this.first = wanted === '' ? ENTRANCE_PORT : (ports[0] ?? 0)
    const isUsual = ports.length === 1 && this.first === ENTRANCE_PORT && process.getuid?.() !== 0
    this.#others = isUsual ? Object.values(DEFAULT_PORTS) : ports.slice(1)
  }

  /** Facts for the file of the run. */
  get facts(): Pick<RunIdentity, 'entrance'> {
    const entrance = [...new Set(this.bound.map(each => portOf([each])))]
    return entrance.length > 0 ? {entrance} : {}
  }

  /** Binds the ports, of which `bound` listen already. The run that has ::1 has the entrance. A number of an app, or of another program, stays its own. Resolves with false if the first port is taken; rejects with a `UserError` if it cannot be used. */
  async bind({apps}: Pick<Plan, 'apps'>, bound: readonly Server[] = []): Promise<boolean> {
    try {
      const own = await listen(this.first, ['::1'], bound)
      this.bound = await listen(this.first, [SHARED_HOST], own, own.length > 0)
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') return false
      const explanation = 'Let PILLION_NAMES_PORT name another port, for example 7356, or leave it out.'
      throw new UserError(`names cannot be answered at port ${this.first}: ${messageOf(error)}`, {explanation})
    }
    const taken = new Set(apps.flatMap(app => [...listenPorts(app), app.published?.number]))
    for (const port of this.#others)
      if (!taken.has(port)) this.bound = [...this.bound, ...(await listen(port, LOOPBACK).catch(() => []))]
    return true
  }

  /** Returns the servers of a port, which is left to an app. */
  free(port: number): readonly Server[] {
    const freed = this.bound.filter(each => port !== this.first && portOf([each]) === port)
    this.bound = this.bound.filter(each => !freed.includes(each))
    return freed
  }

  /** The part of an address behind the name; empty at the usual port of the scheme. `folder`: where runs register. */
  suffix(scheme: keyof typeof DEFAULT_PORTS, folder: string): string {
    const port = DEFAULT_PORTS[scheme]
    return this.#others.includes(port) && this.#present(folder).includes(port) ? '' : `:${this.first}`
  }

  /** The ports of the entrance, whichever run has it. */
  #present(folder: string): readonly number[] {
    if (this.bound.length > 0) return this.facts.entrance ?? []
    const now = performance.now()
    if (now > this.#lookAt) {
      this.#lookAt = now + LOOK_MS
      this.#known = livingRunsIn(folder).flatMap(({entrance = []}) => entrance)
    }
    return this.#known
  }
}
