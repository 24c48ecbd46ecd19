import {describeEvent, daprLogLine} from '../gateway/interceptors/resiliency/events.ts'
import {ResiliencyInterceptor, type BreakerView} from '../gateway/interceptors/resiliency/interceptor.ts'
import {PolicyInterceptor} from '../gateway/interceptors/resiliency/policy-interceptor.ts'
import type {Interceptor} from '../gateway/interceptor.ts'
import type {ResiliencyEvent} from '../model/resiliency-event.ts'
import {systemClock} from '../platform/clock.ts'
import type {AppResources} from '../resources/app-resources.ts'

export interface SidecarPoliciesOptions {
  readonly appId: string
  readonly resources: AppResources
  /** Writes into the log of the sidecar. */
  readonly log: (text: string, level: 'info' | 'warn') => void
  /** Called for each event, which is also logged. */
  readonly recorded: (event: ResiliencyEvent) => void
  /** Gets the interceptors that stand around the app's calls from now on. */
  readonly changed: (interceptors: readonly Interceptor[]) => void
}

/**
 * The policies around the calls of one app, as its Resiliency resources have them now. After a change of these, calls in
 * flight keep the policies that they began with, and circuit breakers begin closed, as after a restart of Dapr's sidecar.
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

  /** The circuit breakers that have been used. */
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
          emit: event => this.#emit(event)
        })
      : undefined
    this.#options.changed(this.#interceptor === undefined ? [] : [new PolicyInterceptor(this.#interceptor)])
  }

  #emit(event: ResiliencyEvent): void {
    const {appId, log, recorded} = this.#options
    recorded(event)
    const line = daprLogLine(event)
    if (line !== undefined) log(line.message, line.level === 'warning' ? 'warn' : 'info')
    const text = describeEvent(event)
    if (text === '') return
    log(event.type === 'breaker-changed' ? text : `${appId} → ${event.endpoint.target}: ${text}`, 'info')
  }
}
