// blocks/: what the calls to building blocks mean, for HTTP and gRPC alike. It knows neither.
import type {AppComponent, AppComponents} from '../../components/app-components.ts'
import {messageOf} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {Block} from '../../resources/component-types.ts'
import type {Configuration} from '../../resources/dapr-configuration.ts'
import type {BlockError} from './block-error.ts'

/** Dapr's errors for a component that is not there; `why` is our reason in brackets behind a space, or ''. */
export interface Missing {
  /** The app has no component of this block at all. */
  readonly none: (why: string) => BlockError
  /** It has, but none of this name. */
  readonly unknown: (why: string) => BlockError
}

export interface BlockContextOptions {
  readonly appId: string
  /** NAMESPACE of the sidecar, '' = none. */
  readonly namespace: string
  readonly components: AppComponents
  readonly configuration: () => Configuration
  /** Why a component is missing that a file names, in brackets behind a space; '' where no file does. */
  readonly whyMissing: (name: string) => string
}

/** What the building blocks of one app share. */
export class BlockContext {
  readonly appId: string
  readonly namespace: string
  readonly configuration: () => Configuration
  readonly #options: BlockContextOptions

  constructor(options: BlockContextOptions) {
    this.appId = options.appId
    this.namespace = options.namespace
    this.configuration = options.configuration
    this.#options = options
  }

  /** The component that a call names. Rejects with Dapr's error and our reason. */
  async component<B extends Block>(block: B, name: string, missing: Missing): Promise<AppComponent<B>> {
    const {components} = this.#options
    const found = components.find(block, name)
    if (found === undefined) {
      const names = components.names(block)
      const failure = components.failed.get(name)
      const why =
        failure === undefined
          ? this.#options.whyMissing(name) || near(name, names)
          : ` (${name} could not be opened: ${failure})`
      throw names.length === 0 ? missing.none(why) : missing.unknown(why)
    }
    try {
      return await found
    } catch (error) {
      throw missing.none(` (${name} could not be opened: ${messageOf(error)})`)
    }
  }
}

function near(name: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const best = nearMiss(name, names)
  return best === '' ? ` (there is: ${names.join(', ')})` : ` (did you mean ${best}?)`
}
