import t from 'tap'
import type {ResiliencyEvent} from '../../../../../../src/model/resiliency-event.ts'
import type {CallOutcome} from '../../../../../../src/proxy/gateway/interceptor.ts'
import {PolicyInterceptor} from '../../../../../../src/proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import {parseResourceFile} from '../../../../../../src/files/resources/resource-file.ts'
import {NO_RESILIENCY} from '../../../../../../src/files/resources/defaults.ts'
import {mergeResiliencies, readResiliency} from '../../../../../../src/files/resources/resiliency/resiliency.ts'
import {TestClock} from '../../../../../rig/clock.ts'

const open = async (
  spec: string
): Promise<{resiliency: PolicyInterceptor; events: ResiliencyEvent[]; clock: TestClock}> => {
  const text = `kind: Resiliency\nmetadata: {name: a}\nspec:\n${spec}`
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const resiliency = resource === undefined ? NO_RESILIENCY : mergeResiliencies([resource], 'a').resiliency
  const events: ResiliencyEvent[] = []
  const clock = new TestClock()
  const runtime = {clock, random: () => 0.5, emit: (event: ResiliencyEvent) => void events.push(event)}
  return {resiliency: new PolicyInterceptor(resiliency, runtime), events, clock}
}

/** A call that ends with a status. Resolves with the status, or with the reason of a policy. */
const call = async (resiliency: PolicyInterceptor, key: string, status: number): Promise<number | string> => {
  const [callee = '', method = ''] = key.split(':')
  const policed = resiliency.intercept({caller: 'a', callee, method: 'GET', path: `/${method}`})
  if (policed === undefined) return 'no policies'
  const verdict = status === 200 ? 'success' : status
  const outcome = await policed.run(async (): Promise<CallOutcome> => ({kind: 'response', verdict, discard: () => {}}))
  return outcome.kind === 'ended' ? outcome.reason : status
}

t.test('a target without policies has none, and costs nothing', async t => {
  const {resiliency} = await open('  targets: {apps: {listed: {}}}\n')
  t.equal(resiliency.policiesFor('any', 'any:m'), undefined)
  t.equal(resiliency.policiesFor('listed', 'listed:m'), undefined)
})

t.test('each method has its own circuit breaker, and their states can be seen', async t => {
  const {resiliency, events, clock} = await open(
    '  policies: {circuitBreakers: {c: {trip: consecutiveFailures > 1, timeout: 45s}}}\n  targets: {apps: {b: {circuitBreaker: c}}}\n'
  )
  for (const status of [500, 500]) await call(resiliency, 'b:bad', status)
  t.equal(await call(resiliency, 'b:bad', 200), 'circuit breaker is open')
  t.equal(await call(resiliency, 'b:good', 200), 200)
  clock.pass(5000)
  t.strictSame(resiliency.breakers(), [
    {endpoint: {target: 'b', key: 'b:bad'}, state: 'open', openForMs: 40_000},
    {endpoint: {target: 'b', key: 'b:good'}, state: 'closed', openForMs: 0}
  ])
  t.match(
    events.filter(({type}) => type === 'breaker-changed'),
    [{endpoint: {key: 'b:bad'}, from: 'closed', to: 'open', openForMs: 45_000}]
  )
})

t.test('of more methods than the cache holds the one used longest ago is forgotten', async t => {
  const {resiliency} = await open(
    '  policies: {circuitBreakers: {c: {trip: "true"}}}\n  targets: {apps: {b: {circuitBreaker: c, circuitBreakerCacheSize: 2}}}\n'
  )
  await call(resiliency, 'b:1', 500)
  await call(resiliency, 'b:2', 500)
  t.equal(await call(resiliency, 'b:1', 200), 'circuit breaker is open')
  await call(resiliency, 'b:3', 500)
  t.strictSame(
    resiliency.breakers().map(({endpoint}) => endpoint.key),
    ['b:1', 'b:3']
  )
  t.equal(await call(resiliency, 'b:2', 200), 200, 'a new one is closed')
})

t.test('a default holds for every target, and what is kept for them is bounded', async t => {
  const {resiliency} = await open('  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: "true"}}}\n')
  await call(resiliency, 'b:1', 500)
  t.equal(await call(resiliency, 'b:1', 200), 'circuit breaker is open')
  for (let n = 0; n < 1500; n++) resiliency.policiesFor(`http://host-${n}`, 'x')
  t.equal(resiliency.breakers().length, 1000)
})
