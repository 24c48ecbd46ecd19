import type {Server, Socket} from 'node:net'
import {bindFreed, takeInTurn} from '../control/left-ports.ts'
import {codeOf} from '../model/errors.ts'
import type {AppPlan} from '../model/plan.ts'
import {pause} from '../platform/delay.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {hostsOf, type PublishedPorts} from '../proxy/published/published-ports.ts'
import type {RunContext} from './run-context.ts'

export interface WrittenPortsParts {
  readonly context: Pick<RunContext, 'env' | 'plan' | 'reporter'>
  /** The apps of the run, as the template has them now. */
  readonly apps: () => readonly AppPlan[]
  /** Published ports that need no port of another run. */
  readonly ports: PublishedPorts
  /** Called with the numbers that this run leaves to any run that wants them. */
  readonly takenOver: (numbers: readonly number[]) => void
}

/** An app with its port in the template. */
type Written = Required<Pick<AppPlan, 'id' | 'published'>>

/** The time within which a copy frees its numbers, in ms. */
const TOGETHER_MS = 100

/**
 * Ports of the template that this run has replaced. Apps may contain them in their code, so this run listens there once no other copy
 * does, and leaves them to the next run that wants them.
 */
export class WrittenPorts {
  readonly ports: PublishedPorts
  readonly #parts: WrittenPortsParts
  readonly #over = new AbortController()
  /** The numbers of apps that were begun: waited for, or had. */
  readonly #begun = new Set<number>()
  /** The numbers at which this run listens. */
  readonly #ours = new Set<number>()
  /** Numbers that have become free, for one line. */
  readonly #unreported: string[] = []

  constructor(parts: WrittenPortsParts) {
    this.ports = parts.ports
    this.#parts = parts
  }

  /** Listens at the ports once no other run does, and at those that an edit has removed no longer. With `--isolated`, ports that no copy has stay free. */
  follow(): void {
    const {plan} = this.#parts.context
    const mayBegin = plan.asked?.flags.includes('--isolated') !== true
    const apps = new Map(this.#apps().map(app => [app.published.number, app]))
    for (const number of this.#begun) if (!apps.has(number)) this.#drop(number)
    for (const [number, app] of apps) {
      if (this.#begun.has(number)) continue
      this.#begun.add(number)
      void this.#wait(app, mayBegin)
    }
  }

  /** Listens at all numbers now. Returns the number of each app. Rejects with a `UserError` if a program has one. */
  async take(): Promise<Readonly<Record<string, number>>> {
    const {context, apps} = this.#parts
    for (const app of this.#apps()) {
      if (this.#ours.has(app.published.number)) continue
      const {published} = app
      await this.#listen(app, await bindFreed(context.env, published.number, hostsOf(published)))
    }
    const own = apps().flatMap(({id, published}) => (published === undefined ? [] : {id, published}))
    return Object.fromEntries([...own, ...this.#apps()].map(({id, published}) => [id, published.number]))
  }

  /** Leaves a number, to the run at the other end of a connection if there is one. The returned function is called once that run has it; undefined: it was not ours. */
  async leave(number: number, successor?: Socket): Promise<(() => void) | undefined> {
    if (!this.#ours.delete(number)) return undefined
    const end = await this.ports.leave(number, successor)
    this.#parts.takenOver([...this.#ours])
    return () => {
      end()
      for (const app of this.#apps()) if (app.published.number === number) void this.#wait(app, true)
    }
  }

  async close(cut?: AbortSignal): Promise<void> {
    this.#over.abort()
    await this.ports.close(cut)
  }

  #drop(number: number): void {
    this.#begun.delete(number)
    void this.leave(number).then(end => end?.())
  }

  #apps(): readonly Written[] {
    const {movedPorts = new Map<number, number>()} = this.#parts.context.plan
    const numbers = new Map([...movedPorts].flatMap(([from, to]) => (from === to ? [] : [[to, from]])))
    return this.#parts.apps().flatMap(({id, published}) => {
      const number = published && numbers.get(published.number)
      return published === undefined || number === undefined ? [] : {id, published: {...published, number}}
    })
  }

  /** Listens at a port once no other run does. `mayBegin`: even if none has it now. */
  async #wait(app: Written, mayBegin: boolean): Promise<void> {
    const {number: port} = app.published
    const hosts = hostsOf(app.published)
    let isFree = mayBegin
    await takeInTurn({
      env: this.#parts.context.env,
      port,
      signal: this.#over.signal,
      isWanted: host => hosts.includes(host),
      held: ({kind}) => {
        const isRun = kind !== 'program'
        isFree ||= isRun
        return isRun
      },
      take: async bound => {
        if (!isFree || this.#ours.has(port) || !this.#begun.has(port)) bound.forEach(release)
        else return this.#tryListen(app, bound)
        return true
      }
    })
  }

  /** Listens at a port. Resolves with false if it is taken. */
  async #tryListen(app: Written, bound: readonly Server[]): Promise<boolean> {
    try {
      await this.#listen(app, bound)
      await this.#report(app)
      return true
    } catch (error) {
      return codeOf(error instanceof Error ? error.cause : undefined) !== 'EADDRINUSE'
    }
  }

  async #listen(app: Written, bound: readonly Server[]): Promise<void> {
    await this.ports.claim([app], [], bound)
    this.ports.serve()
    this.#ours.add(app.published.number)
    this.#parts.takenOver([...this.#ours])
  }

  /** Reports the numbers that have become free together in one line. */
  async #report({id, published}: Written): Promise<void> {
    const {signal} = this.#over
    if (this.#unreported.push(`${published.number} (${id})`) > 1) return
    await pause(TOGETHER_MS, signal)
    const all = this.#unreported.splice(0).join(', ')
    const text = `no other copy listens at ${all} any more: this run answers at these numbers of the template, too`
    if (!signal.aborted) this.#parts.context.reporter.warn('numbers-taken-over', text)
  }
}
