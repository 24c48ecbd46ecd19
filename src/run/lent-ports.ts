import {freeNames} from '../control/names.ts'
import {appNames} from '../model/app-name.ts'
import {UserError} from '../model/errors.ts'
import {listen} from '../proxy/ports/claim.ts'
import {PublishedPort} from '../proxy/published/published-port.ts'
import type {PublishedPorts} from '../proxy/published/published-ports.ts'
import {openPublished, publishedApps, type RunPublishedOptions} from './open-published.ts'
import type {RunContext} from './run-context.ts'

/** Ports at which this copy answers calls to the main one. */
export class LentPorts {
  readonly #options: RunPublishedOptions
  /** The ports for calls that the main copy passes on, by app. */
  readonly #lent = new Map<string, PublishedPort>()
  readonly #numbers: Record<string, number> = {}
  /** Ports of the main copy, which does not run. */
  #taken: PublishedPorts | undefined

  constructor(options: RunPublishedOptions) {
    this.#options = options
  }

  /** Opens a port for each of these apps at which the main copy calls it. */
  async lend(ids: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const {contextOf, appAt} = publishedApps(this.#options)
    for (const id of ids.filter(each => !this.#lent.has(each))) {
      const claims = await listen(0, ['127.0.0.1'])
      const address = claims[0]?.address()
      this.#numbers[id] = typeof address === 'object' ? (address?.port ?? 0) : 0
      this.#lent.set(id, new PublishedPort(claims, () => contextOf(id), appAt))
    }
    return this.#numbers
  }

  /** Binds the numbers that the template has for these apps. Throws a `UserError` if one is taken. */
  async take({
    apps,
    movedPorts = new Map<number, number>()
  }: Pick<RunContext['plan'], 'apps' | 'movedPorts'>): Promise<Readonly<Record<string, number>>> {
    const written = new Map([...movedPorts].map(([from, to]) => [to, from]))
    const called = apps.flatMap(({id, published}) => {
      if (published === undefined) return []
      const {number} = published
      return {id, published: {...published, number: written.get(number) ?? number}, isOwn: !written.has(number)}
    })
    const ports = openPublished(this.#options)
    try {
      await ports.claim(called.filter(({isOwn}) => !isOwn))
    } catch (error) {
      await ports.close(AbortSignal.abort())
      throw error
    }
    ports.serve()
    this.#taken = ports
    return Object.fromEntries(called.map(({id, published}) => [id, published.number]))
  }

  /** Frees the numbers of the main copy; calls in flight may finish. */
  giveBack(): void {
    void this.#taken?.close()
    this.#taken = undefined
  }

  async close(cut?: AbortSignal): Promise<void> {
    await Promise.all([...this.#lent.values(), this.#taken].map(async port => port?.close(cut)))
  }
}

/** The names of the main copy of this template, for this run. Throws a UserError if another run has one. */
export function mainNames(
  plan: Pick<RunContext['plan'], 'apps' | 'leftOut'>,
  project: string,
  folder: string
): ReadonlyMap<string, string> {
  const names = appNames(plan, {project, copy: ''})
  const [taken] = freeNames(folder, Object.fromEntries(names)).taken
  if (taken === undefined) return names
  const {name, app, run} = taken
  throw new UserError(`${name} is ${app} of ${run.templateFile || run.name} (pid ${run.pid})`)
}
