import t from 'tap'
import {parseResourceFile} from '../../../../../../src/files/resources/resource-file.ts'
import {NO_RESILIENCY} from '../../../../../../src/files/resources/defaults.ts'
import {mergeResiliencies, readResiliency} from '../../../../../../src/files/resources/resiliency/resiliency.ts'
import {ComponentPolicies} from '../../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {TestClock} from '../../../../../rig/clock.ts'

const SPEC = `kind: Resiliency
metadata: {name: a}
spec:
  policies:
    timeouts: {DefaultTimeoutPolicy: 1s}
    circuitBreakers: {trip: {trip: consecutiveFailures > 1, timeout: 45s}}
  targets:
    actors:
      Cart: {circuitBreaker: trip, circuitBreakerScope: id, circuitBreakerCacheSize: 2}
      Order: {circuitBreaker: trip, circuitBreakerScope: type}
      Plain: {timeout: DefaultTimeoutPolicy}
`

const open = async (text = SPEC): Promise<ComponentPolicies> => {
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const resiliency = resource === undefined ? NO_RESILIENCY : mergeResiliencies([resource], 'a').resiliency
  return new ComponentPolicies(resiliency, {clock: new TestClock(), random: () => 0.5, emit: () => undefined})
}

t.test('policies of actors: kept by type, by id where each has its own breaker, and not of types that no resource names', async t => {
  const policies = await open()
  const of = (actor: string): ReturnType<ComponentPolicies['findActor']> => {
    const [type = '', id = ''] = actor.split('/')
    return policies.findActor(type, id)
  }
  t.equal(of('Order/1'), of('Order/2'), 'one breaker for all')
  t.equal(of('Plain/1'), of('Plain/2'))
  t.equal(of('Cart/1'), of('Cart/1'))
  t.not(of('Cart/1'), of('Cart/2'), 'one for each id')
  t.match(of('Any/1'), {endpoint: {target: 'Any'}, timeoutMs: 1000, breaker: undefined})
  t.not(of('Any/1'), of('Any/1'), 'callers may name any type: nothing is kept of it')
}) // prettier-ignore

t.test('a default circuit breaker of actors: one for each type that no resource names', async t => {
  for (const name of ['DefaultActorCircuitBreakerPolicy', 'DefaultCircuitBreakerPolicy']) {
    const policies = await open(SPEC.replace('{trip: {', `{${name}: {trip: consecutiveFailures > 0}, trip: {`))
    const breaker = policies.findActor('Any', '1')?.breaker
    const permit = breaker?.enter()
    if (typeof permit === 'object') breaker?.done(permit, 'failure')
    t.equal(policies.findActor('Any', '2')?.breaker?.state, 'open')
    t.equal(policies.findActor('Other', '1')?.breaker?.state, 'closed')
    t.equal(policies.findActor('Plain', '1')?.breaker, undefined, 'a type that is named has no defaults')
    t.match(policies.breakers(), [{endpoint: {target: 'Any', key: `${name}-Any`}, state: 'open'}])
  }
})

t.test('of more ids than the cache holds the one called longest ago is forgotten; breakers that are not closed are seen', async t => {
  const policies = await open()
  const breakerOf = (id: string) => policies.findActor('Cart', id)?.breaker
  const fail = (id: string): void => {
    const breaker = breakerOf(id)
    const permit = breaker?.enter()
    if (typeof permit === 'object') breaker?.done(permit, 'failure')
  }
  for (const id of ['1', '1', '2', '2']) fail(id)
  t.match([breakerOf('1')?.state, breakerOf('2')?.state], ['open', 'open'])
  t.match(policies.breakers(), [{endpoint: {target: 'Cart', key: 'trip-Cart-1'}, state: 'open'}, {endpoint: {key: 'trip-Cart-2'}}])
  breakerOf('1')
  breakerOf('3')
  t.match([breakerOf('1')?.state, breakerOf('2')?.state], ['open', 'closed'])
}) // prettier-ignore
