import {PolicyInterceptor} from '../../../../src/proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import type {ResiliencyEvent} from '../../../../src/model/resiliency-event.ts'
import {systemClock} from '../../../../src/platform/clock.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../../src/files/resources/resiliency/resiliency.ts'
import type {TestClock} from '../../../rig/clock.ts'

/** The interceptor of a Resiliency resource with this `spec`, and what it tells. */
export const policiesOf = async (
  spec: string,
  clock: TestClock | typeof systemClock = systemClock
): Promise<{interceptor: PolicyInterceptor; events: ResiliencyEvent[]}> => {
  const text = `kind: Resiliency\nmetadata: {name: r}\nspec:\n  ${spec.trim()}\n`
  const file = parseResourceFile({file: 'r.yaml', text})
  const resource = await readResiliency(file)
  if (resource === undefined) throw new Error(JSON.stringify(file.faults))
  const events: ResiliencyEvent[] = []
  const runtime = {clock, random: () => 0.5, emit: (event: ResiliencyEvent) => void events.push(event)}
  const {resiliency} = mergeResiliencies([resource], 'a')
  return {interceptor: new PolicyInterceptor(resiliency, runtime), events}
}
