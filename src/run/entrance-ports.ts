import type {Server} from 'node:net'
import {livingRunsIn} from '../control/living-runs.ts'
import type {RunIdentity} from '../control/run-file.ts'
import {DEFAULT_PORTS, ENTRANCE_PORT} from '../model/app-name.ts'
import type {Environment} from '../model/environment.ts'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {listenPorts, type Plan} from '../model/plan.ts'
import {SHARED_HOST} from '../platform/probe.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {listen, portOf} from '../proxy/ports/bind.ts'

/** How long known ports of another run's entrance are reused, in ms. */
const LOOK_MS = 1000

const ADVICE = {explanation: 'Let PILLION_NAMES_PORT name another port, for example 7356, or leave it out.'}

const isPort = (port = 0): boolean => Number.isInteger(port) && port > 0 && port < 65_536

/** The ports of the entrance, at which the host names of all runs answer. The first port is needed; the usual ports of HTTP and HTTPS shorten addresses. */
export class EntrancePorts {
  readonly first: number
  readonly #others: readonly number[]
  /** The word of PILLION_NAMES_PORT that is not a port; undefined: all are. */
  readonly #wrong: string | undefined
  /** Servers that this run has bound. */
  bound: readonly Server[] = []
  /** Ports of the entrance of another run, and when they are looked up again, as of `performance.now`. */
  #known: readonly number[] = []
  #lookAt = 0

  /** Root gets the first port alone by default, since servers of the system may use the usual ports. */
  constructor({PILLION_NAMES_PORT: wanted}: Environment) {
    const words = (wanted || `${ENTRANCE_PORT}`).split(',')
    const ports = words.map(Number)
    this.#wrong = words.find((_, at) => !isPort(ports[at]))
    this.first = ports[0] ?? 0
    const isUsual = ports.length === 1 && this.first === ENTRANCE_PORT && process.getuid?.() !== 0
    this.#others = isUsual ? Object.values(DEFAULT_PORTS) : ports.slice(1)
  }

  /** Facts for the registration of the run. */
  get facts(): Pick<RunIdentity, 'entrance'> {
    const entrance = [...new Set(this.bound.map(each => portOf([each])))]
    return entrance.length > 0 ? {entrance} : {}
  }

  /** Returns the wanted ports, without port numbers of apps of the template. */
  without({apps}: Pick<Plan, 'apps'>): readonly number[] {
    const taken = new Set(apps.flatMap(app => [...listenPorts(app), app.published?.number]))
    return [this.first, ...this.#others.filter(port => !taken.has(port))]
  }

  /** Binds the ports, of which `bound` listen already, except further ports that are taken. Resolves with false if the first one is taken; rejects with a `UserError` if it cannot be used. */
  async bind(plan: Pick<Plan, 'apps'>, bound: readonly Server[] = []): Promise<boolean> {
    if (this.#wrong !== undefined) throw new UserError(`PILLION_NAMES_PORT: "${this.#wrong}" is not a port`, ADVICE)
    const listening: Server[] = []
    for (const port of this.without(plan)) {
      const here = bound.filter(each => portOf([each]) === port)
      try {
        const own = await listen(port, ['::1'], here)
        listening.push(...(await listen(port, [SHARED_HOST], own, own.length > 0)))
      } catch (error) {
        if (port !== this.first) continue
        bound.forEach(release)
        if (codeOf(error) === 'EADDRINUSE') return false
        throw new UserError(`names cannot be answered at port ${port}: ${messageOf(error)}`, ADVICE)
      }
    }
    this.bound = listening
    return true
  }

  /** Gives up a port that an app wants, except the first one. Returns its servers. */
  free(port: number): readonly Server[] {
    const freed = this.bound.filter(each => port !== this.first && portOf([each]) === port)
    this.bound = this.bound.filter(each => !freed.includes(each))
    return freed
  }

  /** Returns the port part of a URL; '': the entrance has the usual port of the scheme. `folder`: where runs register. */
  suffix(scheme: keyof typeof DEFAULT_PORTS, folder: string): string {
    const port = DEFAULT_PORTS[scheme]
    return this.#others.includes(port) && this.#present(folder).includes(port) ? '' : `:${this.first}`
  }

  /** Returns the ports of the entrance of this run, or of the run that has it. */
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
