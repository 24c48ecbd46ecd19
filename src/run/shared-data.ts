import type {RunContext} from './run-context.ts'
import type {DataPlace} from '../dapr/components/data-place.ts'
import {noteData, dataOfCopies} from '../control/shared-data.ts'
import {homeOf} from '../control/server.ts'
import {runtimeFolders, usableFolder} from '../control/folder.ts'

/** Reports which data of a run other copies of its template use, too: in a real Redis, a database, a broker. */
export class SharedData {
  readonly #context: Pick<RunContext, 'plan' | 'env' | 'run' | 'reporter'>
  readonly #known = new Map<string, DataPlace>()
  #fresh: readonly DataPlace[] = []
  readonly #reported = new Set<string>()

  constructor(context: Pick<RunContext, 'plan' | 'env' | 'run' | 'reporter'>) {
    this.#context = context
  }

  /** Called when a component was opened. */
  add(place: DataPlace): void {
    if (this.#known.has(place.key)) return
    this.#known.set(place.key, place)
    this.#fresh = [...this.#fresh, place]
  }

  /** Notes new data for copies that start later, then reports data that running copies share. */
  tell(): void {
    const {plan, env, run, reporter} = this.#context
    const fresh = this.#fresh
    this.#fresh = []
    if (fresh.length === 0) return
    // noted first: of two copies that start at once, at least one sees the other
    noteData(
      homeOf(usableFolder(runtimeFolders(env)), run),
      fresh.map(({key}) => key)
    )
    const others = dataOfCopies(env, {file: plan.file, copy: plan.copy ?? ''})
    const shared = fresh.filter(({key, shown}) => !this.#reported.has(shown) && others.some(({keys}) => keys.has(key)))
    if (shared.length === 0) return
    for (const {shown} of shared) this.#reported.add(shown)
    const having = others.filter(({keys}) => shared.some(({key}) => keys.has(key)))
    const owners = having.map(({run: {name, pid}}) => `${name} (pid ${pid})`)
    const what = shared.map(({shown}) => shown).join(', ')
    reporter.warn(
      'data-shared',
      `${what}: ${owners.join(', ')} ${owners.length === 1 ? 'uses' : 'use'} the same data${having.some(({isPlain}) => isPlain) ? ADVICE_FOR_PLAIN : ADVICE}`
    )
  }
}

const ADVICE_FOR_PLAIN =
  ', so keys and events cross. Its template has the same text: give this one a name of its own (--name), or make copies with git worktree, and they have a Redis and ports of their own'

/** The two ways to keep data apart. */
const ADVICE =
  ', so keys and events cross: make the server an app of the template, or give each copy a database of its own: interpolate: true, ${DB:-shop} in the file of the component, and pillion up --env DB=NAME'
