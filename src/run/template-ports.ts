import type {Server, Socket} from 'node:net'
import {bindFreed, takeInTurn} from '../control/left-ports.ts'
import {codeOf} from '../model/errors.ts'
import type {AppPlan} from '../model/plan.ts'
import {pause} from '../platform/delay.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {hostsOf, type PublishedPorts} from '../proxy/published/published-ports.ts'
import type {RunContext} from './run-context.ts'

export interface TemplatePortsParts {
  readonly context: Pick<RunContext, 'env' | 'plan' | 'reporter'>
  /** Returns the apps of the run by the latest edit of the template. */
  readonly apps: () => readonly AppPlan[]
  /** The ports themselves. This object asks other runs for them. */
  readonly ports: PublishedPorts
  /** Called with the numbers at which this run listens now, when they have changed. Another run may ask for them. */
  readonly takenOver: (numbers: readonly number[]) => void
}

/** An app with its port number in the template. */
type TemplatePort = Required<Pick<AppPlan, 'id' | 'published'>>

/** How long freed numbers are collected for one report: a copy that ends frees all its numbers within this time, in ms. */
const TOGETHER_MS = 100

/**
 * Port numbers in the template that this run has replaced by its own, since another copy had them. Code of apps may contain them. So this
 * run listens there, too, once no other copy does, and hands them over to the next run that asks.
 */
export class TemplatePorts {
  readonly ports: PublishedPorts
  readonly #parts: TemplatePortsParts
  readonly #closing = new AbortController()
  /** Numbers for which this run waits, or at which it listens. */
  readonly #wanted = new Set<number>()
  /** The numbers at which this run listens. */
  readonly #listening = new Set<number>()
  /** Numbers at which this run has begun to listen, with their apps, for the next report. */
  readonly #unreported: string[] = []

  constructor(parts: TemplatePortsParts) {
    this.ports = parts.ports
    this.#parts = parts
  }

  /** Waits for the ports that the template has now, and gives up removed ones. With `--isolated`, ports that no copy has stay free. */
  follow(): void {
    const {plan} = this.#parts.context
    const mayBeFirst = plan.asked?.flags.includes('--isolated') !== true
    const apps = new Map(this.#apps().map(app => [app.published.number, app]))
    for (const number of this.#wanted) if (!apps.has(number)) this.#giveUp(number)
    for (const [number, app] of apps) {
      if (this.#wanted.has(number)) continue
      this.#wanted.add(number)
      void this.#listenWhenFree(app, mayBeFirst)
    }
  }

  /** Listens at all numbers now. Returns the template's port number of each app. Rejects with a `UserError` if a program has one. */
  async take(): Promise<Readonly<Record<string, number>>> {
    const {context, apps} = this.#parts
    for (const app of this.#apps()) {
      if (this.#listening.has(app.published.number)) continue
      const {published} = app
      await this.#listen(app, await bindFreed(context.env, published.number, hostsOf(published)))
    }
    const own = apps().flatMap(({id, published}) => (published === undefined ? [] : {id, published}))
    return Object.fromEntries([...own, ...this.#apps()].map(({id, published}) => [id, published.number]))
  }

  /** Stops listening at a number. `successor`: the connection of the run that gets it. Resolves with a function to call once that run listens; undefined: this run did not listen. */
  async leave(number: number, successor?: Socket): Promise<(() => void) | undefined> {
    if (!this.#listening.delete(number)) return undefined
    const end = await this.ports.leave(number, successor)
    this.#parts.takenOver([...this.#listening])
    return () => {
      end()
      for (const app of this.#apps()) if (app.published.number === number) void this.#listenWhenFree(app, true)
    }
  }

  async close(signal?: AbortSignal): Promise<void> {
    this.#closing.abort()
    await this.ports.close(signal)
  }

  #giveUp(number: number): void {
    this.#wanted.delete(number)
    void this.leave(number).then(end => end?.())
  }

  /** Returns the apps whose port this run has replaced, each with its number in the template. */
  #apps(): readonly TemplatePort[] {
    const {movedPorts = new Map<number, number>()} = this.#parts.context.plan
    const numbers = new Map([...movedPorts].flatMap(([from, to]) => (from === to ? [] : [[to, from]])))
    return this.#parts.apps().flatMap(({id, published}) => {
      const number = published && numbers.get(published.number)
      return published === undefined || number === undefined ? [] : {id, published: {...published, number}}
    })
  }

  /** Listens at a port once no other run does. `mayBeFirst`: even if no run has had the port. */
  async #listenWhenFree(app: TemplatePort, mayBeFirst: boolean): Promise<void> {
    const {number: port} = app.published
    const hosts = hostsOf(app.published)
    let mayListen = mayBeFirst
    await takeInTurn({
      env: this.#parts.context.env,
      port,
      signal: this.#closing.signal,
      isWanted: host => hosts.includes(host),
      held: ({kind}) => {
        const isRun = kind !== 'program'
        mayListen ||= isRun
        return isRun
      },
      take: async bound => {
        if (!mayListen || this.#listening.has(port) || !this.#wanted.has(port)) bound.forEach(release)
        else return this.#tryListen(app, bound)
        return true
      }
    })
  }

  /** Listens at a port. Resolves with false if it is taken. */
  async #tryListen(app: TemplatePort, bound: readonly Server[]): Promise<boolean> {
    try {
      await this.#listen(app, bound)
      await this.#report(app)
      return true
    } catch (error) {
      return codeOf(error instanceof Error ? error.cause : undefined) !== 'EADDRINUSE'
    }
  }

  async #listen(app: TemplatePort, bound: readonly Server[]): Promise<void> {
    await this.ports.claim([app], [], bound)
    this.ports.serve()
    this.#listening.add(app.published.number)
    this.#parts.takenOver([...this.#listening])
  }

  /** Reports a number, together with the others of the next `TOGETHER_MS`. */
  async #report({id, published}: TemplatePort): Promise<void> {
    const {signal} = this.#closing
    if (this.#unreported.push(`${published.number} (${id})`) > 1) return
    await pause(TOGETHER_MS, signal)
    const all = this.#unreported.splice(0).join(', ')
    const text = `no other copy listens at ${all} any more: this run answers at these numbers of the template, too`
    if (!signal.aborted) this.#parts.context.reporter.warn('numbers-taken-over', text)
  }
}
