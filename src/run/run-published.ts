import type {AppPlan} from '../model/plan.ts'
import type {PublishedPorts} from '../proxy/published/published-ports.ts'
import type {RunPublishedOptions} from './open-published.ts'

/** The ports at which apps of a run are called without Dapr's API; loaded if a template has any. */
export class RunPublished {
  readonly #options: RunPublishedOptions
  #ports: PublishedPorts | undefined

  constructor(options: RunPublishedOptions) {
    this.#options = options
  }

  /** Binds those of these apps. Throws a `UserError` if one is taken. */
  async claim(plans: readonly AppPlan[]): Promise<void> {
    if (plans.every(({published}) => published === undefined)) return
    if (this.#ports === undefined) {
      const {openPublished} = await import('./open-published.ts')
      this.#ports ??= openPublished(this.#options)
    }
    await this.#ports.claim(plans)
  }

  /** Serves those that are bound. */
  serve(): void {
    this.#ports?.serve()
  }

  /** Frees those that none of these apps wants. */
  async keepOnly(plans: readonly AppPlan[]): Promise<void> {
    await this.#ports?.keepOnly(plans)
  }

  async close(cut?: AbortSignal): Promise<void> {
    await this.#ports?.close(cut)
  }
}
