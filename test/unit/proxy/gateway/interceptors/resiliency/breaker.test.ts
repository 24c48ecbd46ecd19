import t from 'tap'
import {
  CircuitBreaker,
  type BreakerOutcome,
  type BreakerPermit
} from '../../../../../../src/proxy/gateway/interceptors/resiliency/breaker.ts'
import type {CircuitBreakerPolicy} from '../../../../../../src/files/resources/resiliency/policies.ts'
import {TestClock} from '../../../../../rig/clock.ts'

interface Opened {
  readonly breaker: CircuitBreaker
  readonly clock: TestClock
  readonly changes: string[]
  readonly enter: () => BreakerPermit
  readonly calls: (...outcomes: BreakerOutcome[]) => void
}

const open = (settings: Partial<CircuitBreakerPolicy> = {}): Opened => {
  const policy: CircuitBreakerPolicy = {
    name: 'cb',
    maxRequests: 1,
    intervalMs: 0,
    timeoutMs: 1000,
    expression: '',
    trip: ({consecutiveFailures}) => consecutiveFailures > 2,
    ...settings
  }
  const clock = new TestClock()
  const changes: string[] = []
  const changed = (from: string, to: string): void => void changes.push(`${from} → ${to}`)
  const breaker = new CircuitBreaker(policy, () => clock.now(), changed)
  const enter = (): BreakerPermit => {
    const permit = breaker.enter()
    if (typeof permit === 'string') throw new Error(permit)
    return permit
  }
  const calls = (...outcomes: BreakerOutcome[]): void => {
    for (const outcome of outcomes) breaker.done(enter(), outcome)
  }
  return {breaker, clock, changes, enter, calls}
}

t.test('it opens when it trips, and refuses until its time is over', async t => {
  const {breaker, clock, changes, calls} = open()
  calls('failure', 'failure', 'success', 'failure', 'failure')
  t.equal(breaker.state, 'closed')
  t.match(breaker.counts, {requests: 5, totalFailures: 4, totalSuccesses: 1, consecutiveFailures: 2})
  calls('failure')
  t.equal(breaker.state, 'open')
  t.equal(breaker.enter(), 'circuit breaker is open')
  t.equal(breaker.openForMs, 1000)
  clock.pass(1000)
  t.equal(breaker.enter(), 'circuit breaker is open', 'not before its time is over')
  clock.pass(1)
  t.equal(breaker.state, 'half-open')
  t.equal(breaker.openForMs, 0)
  t.strictSame(changes, ['closed → open', 'open → half-open'])
})

t.test('a half-open one lets so many through, and closes when all have succeeded', async t => {
  const {breaker, clock, changes, enter, calls} = open({maxRequests: 2})
  calls('failure', 'failure', 'failure')
  clock.pass(1001)
  const [first, second] = [enter(), enter()]
  t.equal(breaker.enter(), 'too many requests')
  breaker.done(first, 'success')
  t.equal(breaker.state, 'half-open')
  t.equal(breaker.enter(), 'too many requests', 'those that are over count too')
  breaker.done(second, 'success')
  t.equal(breaker.state, 'closed')
  t.match(breaker.counts, {requests: 0}, 'it counts anew')
  t.strictSame(changes, ['closed → open', 'open → half-open', 'half-open → closed'])
})

t.test('one failure opens a half-open one again', async t => {
  const {breaker, clock, calls} = open({maxRequests: 2})
  calls('failure', 'failure', 'failure')
  clock.pass(1001)
  calls('success', 'failure')
  t.equal(breaker.state, 'open')
  t.equal(breaker.openForMs, 1000)
})

t.test('results of an older generation do not count', async t => {
  const {breaker, clock, enter, calls} = open()
  const slow = enter()
  calls('failure', 'failure', 'failure')
  clock.pass(1001)
  t.equal(breaker.state, 'half-open')
  breaker.done(slow, 'failure')
  t.equal(breaker.state, 'half-open')
  const probe = enter()
  breaker.done(slow, 'success')
  t.equal(breaker.state, 'half-open')
  breaker.done(probe, 'success')
  t.equal(breaker.state, 'closed')
})

t.test('with an interval a closed one forgets its counts', async t => {
  const {breaker, clock, calls} = open({intervalMs: 100})
  calls('failure', 'failure')
  clock.pass(100)
  t.equal(breaker.state, 'closed')
  t.match(breaker.counts, {consecutiveFailures: 2})
  clock.pass(1)
  calls('failure')
  t.match(breaker.counts, {consecutiveFailures: 1})
  t.equal(breaker.state, 'closed')
})

t.test('what is excluded neither fails nor succeeds, and gives its place back', async t => {
  const {breaker, clock, calls} = open()
  calls('failure', 'failure', 'excluded')
  t.match(breaker.counts, {requests: 2, consecutiveFailures: 2})
  calls('failure')
  clock.pass(1001)
  calls('excluded')
  t.equal(breaker.state, 'half-open')
  calls('success')
  t.equal(breaker.state, 'closed')
})
