import {ComponentPolicies} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {PolicyInterceptor, type BreakerView} from '../../proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import {systemClock} from '../../platform/clock.ts'
import type {Resiliency} from '../../files/resources/resiliency/policies.ts'
import {reportResiliency, type ResiliencyReporterOptions} from '../../proxy/gateway/interceptors/resiliency/report.ts'

export type SidecarPolicies = ReturnType<typeof policiesOf>

/** Makes the policies for the calls of one app from its Resiliency resources. Circuit breakers start closed. */
export function policiesOf(resiliency: Resiliency, decisions: ResiliencyReporterOptions) {
  const runtime = {clock: systemClock, random: Math.random, emit: reportResiliency(decisions)}
  const components = new ComponentPolicies(resiliency, runtime)
  const interceptor = new PolicyInterceptor(resiliency, runtime)
  return {
    components,
    interceptor,
    breakers: (): readonly BreakerView[] => [...interceptor.breakers(), ...components.breakers()]
  }
}
