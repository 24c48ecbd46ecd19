import {ComponentPolicies} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {ResiliencyInterceptor, type BreakerView} from '../../proxy/gateway/interceptors/resiliency/interceptor.ts'
import {PolicyInterceptor} from '../../proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import type {Interceptor} from '../../proxy/gateway/interceptor.ts'
import {systemClock} from '../../platform/clock.ts'
import type {Resiliency} from '../../files/resources/resiliency/policies.ts'
import {reportResiliency, type ResiliencyReporterOptions} from './report-resiliency.ts'

/** The policies for the calls of one app, from its Resiliency resources. Circuit breakers start closed. */
export class SidecarPolicies {
  readonly interceptor: Interceptor
  readonly components: ComponentPolicies
  readonly #resiliency: ResiliencyInterceptor

  constructor(resiliency: Resiliency, decisions: ResiliencyReporterOptions) {
    const emit = reportResiliency(decisions)
    const runtime = {clock: systemClock, random: Math.random, emit}
    this.components = new ComponentPolicies(resiliency, runtime)
    this.#resiliency = new ResiliencyInterceptor(resiliency, runtime)
    this.interceptor = new PolicyInterceptor(this.#resiliency)
  }

  /** The circuit breakers that calls have used. */
  get breakers(): readonly BreakerView[] {
    return [...this.#resiliency.breakers(), ...this.components.breakers()]
  }
}
