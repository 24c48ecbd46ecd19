import {parseResourceFile} from '../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../src/files/resources/resiliency/resiliency.ts'
import type {Resiliency} from '../../../src/files/resources/resiliency/policies.ts'
import type {Clock} from '../../../src/platform/clock.ts'
import {ComponentPolicies} from '../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'

const RETRY = {policy: 'constant', duration: '300ms'}
const SPECS = {
  none: undefined,
  twice: {retries: {r: {...RETRY, maxRetries: 2}}},
  endless: {retries: {r: RETRY}},
  timeout: {timeouts: {t: '2s'}, retries: {r: {...RETRY, maxRetries: 2}}},
  breaker: {
    circuitBreakers: {c: {maxRequests: 1, timeout: '3s', trip: 'consecutiveFailures >= 2'}},
    retries: {r: RETRY}
  }
}
export type PolicyName = keyof typeof SPECS
export const POLICIES: readonly PolicyName[] = ['none', 'none', 'twice', 'endless', 'timeout', 'breaker']

async function read(policies: object): Promise<Resiliency> {
  const inbound = {
    ...('retries' in policies && {retry: 'r'}),
    ...('timeouts' in policies && {timeout: 't'}),
    ...('circuitBreakers' in policies && {circuitBreaker: 'c'})
  }
  const spec = {policies, targets: {components: {bus: {inbound}}}}
  const text = JSON.stringify({kind: 'Resiliency', metadata: {name: 'r'}, spec})
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  if (resource === undefined) throw new Error('the policies cannot be read')
  return mergeResiliencies([resource], 'shop').resiliency
}

const KNOWN = new Map<PolicyName, Resiliency>()
for (const [name, policies] of Object.entries(SPECS))
  if (policies !== undefined) KNOWN.set(name as PolicyName, await read(policies))

/** The policies of a name, as a file has them. */
export function policiesOf(name: PolicyName, clock: Clock): ComponentPolicies | undefined {
  const known = KNOWN.get(name)
  return known && new ComponentPolicies(known, {clock, random: () => 0.5, emit: () => undefined})
}
