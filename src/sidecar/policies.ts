import {ResiliencyInterceptor, type BreakerView} from '../gateway/interceptors/resiliency/interceptor.ts'
import {PolicyInterceptor} from '../gateway/interceptors/resiliency/policy-interceptor.ts'
import type {Interceptor} from '../gateway/interceptor.ts'
import type {EmitResiliency} from '../model/resiliency-event.ts'
import {systemClock} from '../platform/clock.ts'
import type {AppResources} from '../resources/app-resources.ts'

export interface SidecarPoliciesOptions {
  readonly resources: AppResources
  readonly emit: EmitResiliency
  /** Called with the interceptors for the app's calls whenever they change. */
  readonly changed: (interceptors: readonly Interceptor[]) => void
}

/**
 * The policies for the calls of one app, from its Resiliency resources. After a change, calls in flight keep their policies,
 * and circuit breakers start closed, as after a restart of Dapr's sidecar.
 */
export class SidecarPolicies {
  readonly #options: SidecarPoliciesOptions
  readonly #close: () => void
  #interceptor: ResiliencyInterceptor | undefined

  constructor(options: SidecarPoliciesOptions) {
    this.#options = options
    const {resources} = options
    let current = resources.snapshot.resiliency
    this.#close = resources.onChange(({resiliency}) => {
      if (resiliency === current) return
      current = resiliency
      this.#load()
    })
    this.#load()
  }

  /** The circuit breakers that calls have used. */
  get breakers(): readonly BreakerView[] {
    return this.#interceptor?.breakers() ?? []
  }

  close(): void {
    this.#close()
  }

  #load(): void {
    const {resiliency} = this.#options.resources.snapshot
    const hasPolicies = resiliency.resources.length > 0
    this.#interceptor = hasPolicies
      ? new ResiliencyInterceptor(resiliency, {
          clock: systemClock,
          random: Math.random,
          emit: this.#options.emit
        })
      : undefined
    this.#options.changed(this.#interceptor === undefined ? [] : [new PolicyInterceptor(this.#interceptor)])
  }
}
