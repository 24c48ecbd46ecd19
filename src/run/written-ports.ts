import {bindFreed} from '../control/names.ts'
import {reachable} from '../model/address.ts'
import {codeOf} from '../model/errors.ts'
import type {AppPlan} from '../model/plan.ts'
import {pause} from '../platform/delay.ts'
import type {PublishedPorts} from '../proxy/published/published-ports.ts'
import {AGAIN_MS, PortHolder} from './port-holder.ts'
import type {RunContext} from './run-context.ts'

export interface WrittenPortsParts {
  readonly context: Pick<RunContext, 'env' | 'plan' | 'reporter'>
  /** Published ports that need no port of another run. */
  readonly ports: PublishedPorts
  /** Called with the numbers that this run leaves to any run that wants them. */
  readonly takenOver: (numbers: readonly number[]) => void
}

/** An app with its port in the template. */
type Written = Required<Pick<AppPlan, 'id' | 'published'>>

/** Number of tries at a port where nothing answers, but which cannot be bound. */
const TRIES = 50
/** The time within which a copy frees its numbers, in ms. */
const TOGETHER_MS = 100

/**
 * Ports of the template that this run has replaced. Apps may contain them in their code, so this run listens there once no other copy
 * does, and leaves them to the next run that wants them.
 */
export class WrittenPorts {
  readonly #parts: WrittenPortsParts
  readonly #over = new AbortController()
  /** The numbers at which this run listens. */
  readonly #ours = new Set<number>()
  /** Numbers that have become free, for one line. */
  readonly #unreported: string[] = []

  constructor(parts: WrittenPortsParts) {
    this.#parts = parts
  }

  /** Listens at the ports once no other run does. With `--isolated`, ports that no copy has stay free. */
  begin(): void {
    const {plan} = this.#parts.context
    const mayBegin = plan.asked?.flags.includes('--isolated') !== true
    for (const app of this.#apps()) void this.#wait(app, mayBegin)
  }

  /** Listens at all numbers now. Returns the number of each app. Rejects with a `UserError` if a program has one. */
  async take(): Promise<Readonly<Record<string, number>>> {
    const {env, plan} = this.#parts.context
    for (const app of this.#apps()) {
      if (this.#ours.has(app.published.number)) continue
      const listen = async (): Promise<true> => this.#listen(app)
      if ((await bindFreed(env, app.published.number, listen)) === undefined) await listen()
    }
    const own = plan.apps.flatMap(({id, published}) => (published === undefined ? [] : {id, published}))
    return Object.fromEntries([...own, ...this.#apps()].map(({id, published}) => [id, published.number]))
  }

  /** Stops accepting at a port that another run wants. The returned function is called after that run had time to listen. Undefined if the port was not ours. */
  leave(number: number): (() => void) | undefined {
    if (!this.#ours.delete(number)) return undefined
    const end = this.#parts.ports.leave(number)
    this.#parts.takenOver([...this.#ours])
    return () => {
      end()
      for (const app of this.#apps()) if (app.published.number === number) void this.#wait(app, true)
    }
  }

  async close(cut?: AbortSignal): Promise<void> {
    this.#over.abort()
    await this.#parts.ports.close(cut)
  }

  #apps(): readonly Written[] {
    const {apps, movedPorts = new Map<number, number>()} = this.#parts.context.plan
    const numbers = new Map([...movedPorts].flatMap(([from, to]) => (from === to ? [] : [[to, from]])))
    return apps.flatMap(({id, published}) => {
      const number = published && numbers.get(published.number)
      return published === undefined || number === undefined ? [] : {id, published: {...published, number}}
    })
  }

  /** Listens at a port once no other run does. `mayBegin`: even if none has it now. */
  async #wait(app: Written, mayBegin: boolean): Promise<void> {
    const {signal} = this.#over
    const {host: address, number: port} = app.published
    const [host = ''] = reachable([address || '0.0.0.0'])
    for (let tries = mayBegin ? TRIES : 0; !signal.aborted; await pause(AGAIN_MS, signal)) {
      const holder = new PortHolder({host, port}, signal)
      const mark = await holder.mark
      if (mark === '' || (mark === 'refused' && tries-- === 0)) return
      if (mark !== 'refused') tries = TRIES
      if (mark !== 'refused') await holder.closed
      if (signal.aborted || this.#ours.has(port)) return
      try {
        await this.#listen(app)
        return await this.#report(app)
      } catch (error) {
        if (codeOf(error instanceof Error ? error.cause : undefined) !== 'EADDRINUSE') return
      }
    }
  }

  async #listen(app: Written): Promise<true> {
    await this.#parts.ports.claim([app])
    this.#parts.ports.serve()
    this.#ours.add(app.published.number)
    this.#parts.takenOver([...this.#ours])
    return true
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
