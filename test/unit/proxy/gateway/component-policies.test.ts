import t from 'tap'
import {ComponentPolicies} from '../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {ResiliencyEvent} from '../../../../src/model/resiliency-event.ts'
import {systemClock} from '../../../../src/platform/clock.ts'
import {parseResourceFile} from '../../../../src/files/resources/field.ts'
import {mergeResiliencies, readResiliency} from '../../../../src/files/resources/resiliency/resiliency.ts'

const policiesOf = async (
  policies: object,
  components: object
): Promise<ComponentPolicies & {events: ResiliencyEvent[]}> => {
  const text = JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: {name: 'r'},
    spec: {policies, targets: {components}}
  })
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const {resiliency} = mergeResiliencies(resource === undefined ? [] : [resource], 'shop')
  const events: ResiliencyEvent[] = []
  const all = new ComponentPolicies(resiliency, {
    clock: systemClock,
    random: () => 0.5,
    emit: event => void events.push(event)
  })
  return Object.assign(all, {events})
}

const constant = (maxRetries: number): object => ({policy: 'constant', duration: '1ms', maxRetries})

const STORE = {name: 'store', kind: 'Statestore', direction: 'outbound'} as const

t.test('the most specific default holds; a component that is listed has what its entry names, and no more', async t => {
  const policies = await policiesOf(
    {
      retries: {
        DefaultRetryPolicy: constant(1),
        DefaultComponentOutboundRetryPolicy: constant(2),
        DefaultStatestoreComponentOutboundRetryPolicy: constant(3),
        mine: constant(4)
      }
    },
    {listed: {outbound: {retry: 'mine'}}}
  )
  const maxRetries = (name: string, kind: string, direction: 'inbound' | 'outbound'): number | undefined =>
    policies.find({name, kind, direction})?.retry?.maxRetries
  t.equal(maxRetries('store', 'Statestore', 'outbound'), 3)
  t.equal(maxRetries('bus', 'Pubsub', 'outbound'), 2)
  t.equal(maxRetries('bus', 'Pubsub', 'inbound'), 1)
  t.equal(maxRetries('listed', 'Statestore', 'outbound'), 4)
  t.equal(maxRetries('listed', 'Statestore', 'inbound'), undefined)
})

t.test('a call is made again after an error, unless the error is no failure of the component', async t => {
  const policies = await policiesOf({retries: {DefaultRetryPolicy: constant(2)}}, {})
  let calls = 0
  const failing = async (times: number): Promise<number> => {
    if (++calls <= times) throw new Error(`failure ${calls}`)
    return calls
  }
  t.equal(await policies.around(STORE, async () => failing(2)), 3)
  t.match(
    policies.events.map(({type}) => type),
    ['applied', 'retrying', 'retrying', 'recovered']
  )
  t.match(policies.events[0]?.endpoint, {target: 'store', component: {kind: 'Statestore', direction: 'outbound'}})
  calls = 0
  await t.rejects(
    policies.around(STORE, async () => failing(9)),
    {message: 'failure 3'}
  )
  calls = 0
  await t.rejects(
    policies.around(STORE, async () => failing(9), {isFinal: () => true}),
    {message: 'failure 1'}
  )
  t.equal(calls, 1)
})

t.test('a call that nobody waits for any more is not made again', async t => {
  const policies = await policiesOf(
    {retries: {again: {policy: 'constant', duration: '1h'}}},
    {store: {outbound: {retry: 'again'}}}
  )
  const listeners: (() => void)[] = []
  let calls = 0
  const work = async (): Promise<never> => {
    calls++
    setImmediate(() => listeners[0]?.())
    throw new Error('no')
  }
  const onGone = (listener: () => void): void => void listeners.push(listener)
  await t.rejects(policies.around(STORE, work, {onGone}), {message: 'context canceled'})
  t.equal(calls, 1)
})

t.test('a timeout and an open circuit breaker fail in Dapr’s words', async t => {
  const policies = await policiesOf(
    {timeouts: {short: '1ms'}, circuitBreakers: {breaker: {trip: 'consecutiveFailures > 0', timeout: '60s'}}},
    {store: {outbound: {timeout: 'short', circuitBreaker: 'breaker'}}}
  )
  await t.rejects(
    policies.around(STORE, async () => new Promise(() => undefined)),
    {message: 'context deadline exceeded'}
  )
  await t.rejects(
    policies.around(STORE, async () => 1),
    {message: 'circuit breaker is open'}
  )
  t.match(policies.breakers(), [{endpoint: {key: 'breaker-store'}, state: 'open'}])
})
