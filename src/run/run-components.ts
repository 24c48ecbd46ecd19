import type {ComponentSet} from '../components/component-set.ts'

/** The components of a run's apps, loaded when the first app needs one. */
export class RunComponents {
  readonly #env: Readonly<Record<string, string | undefined>>
  #loading: Promise<ComponentSet> | undefined

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  /** Loads them; all apps get the same. */
  async load(): Promise<ComponentSet> {
    this.#loading ??= import('../components/component-set.ts').then(({ComponentSet}) => new ComponentSet(this.#env))
    return this.#loading
  }
}
