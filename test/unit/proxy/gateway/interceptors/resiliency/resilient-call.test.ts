import {setImmediate as turn} from 'node:timers/promises'
import t from 'tap'
import type {AttemptControl} from '../../../../../../src/proxy/gateway/interceptors/resiliency/attempt.ts'
import {CircuitBreaker} from '../../../../../../src/proxy/gateway/interceptors/resiliency/breaker.ts'
import type {ResiliencyEvent} from '../../../../../../src/model/resiliency-event.ts'
import {
  ResilientCall,
  type SendAttempt,
  type EndpointPolicies,
  type Outcomes
} from '../../../../../../src/proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {BUILT_IN_RETRY} from '../../../../../../src/files/resources/defaults.ts'
import type {RetryPolicy} from '../../../../../../src/files/resources/resiliency/policies.ts'
import {
  HTTP_CODE_RANGE,
  parseStatusCodes,
  type CodeRange
} from '../../../../../../src/files/resources/resiliency/status-codes.ts'
import {TestClock} from '../../../../../rig/clock.ts'

/** In these tests an outcome is a status, or a text for what has none. */
type Outcome = number | string

const endpoint = {target: 'b', key: 'b:m'}

const retries = (settings: Partial<RetryPolicy> = {}): RetryPolicy => ({
  ...BUILT_IN_RETRY,
  name: 'r',
  durationMs: 10,
  maxRetries: 3,
  ...settings
})

class Bench {
  readonly clock = new TestClock()
  readonly events: ResiliencyEvent[] = []
  readonly discarded: Outcome[] = []
  /** Those that run, in the order of their beginning. */
  readonly calls: ResilientCall<Outcome>[] = []
  readonly #policies: EndpointPolicies

  constructor({tripAfter, ...policies}: Partial<EndpointPolicies> & {tripAfter?: number}) {
    const breaker =
      tripAfter === undefined
        ? undefined
        : new CircuitBreaker(
            {
              name: 'cb',
              maxRequests: 1,
              intervalMs: 0,
              timeoutMs: 1000,
              expression: '',
              trip: ({consecutiveFailures}) => consecutiveFailures >= tripAfter
            },
            () => this.clock.now(),
            (from, to) => this.events.push({type: 'breaker-changed', endpoint, from, to, openForMs: 0})
          )
    this.#policies = {endpoint, timeoutMs: 0, retry: undefined, breaker, ...policies}
  }

  get breaker(): CircuitBreaker | undefined {
    return this.#policies.breaker
  }

  async run(attempt: SendAttempt<Outcome>, whyNotAgain?: () => string): Promise<Outcome> {
    const outcomes: Outcomes<Outcome> = {
      judge: outcome =>
        typeof outcome === 'number'
          ? outcome < 200 || outcome > 399
            ? outcome
            : 'success'
          : outcome === 'held'
            ? 'excluded'
            : 'failed',
      failed: reason => reason,
      discard: outcome => void this.discarded.push(outcome)
    }
    const runtime = {
      clock: this.clock,
      random: () => 0.5,
      emit: (event: ResiliencyEvent) => void this.events.push(event)
    }
    const call = new ResilientCall(this.#policies, runtime, outcomes)
    this.calls.push(call)
    return call.run(attempt, whyNotAgain)
  }

  /** Lets time pass, and then what waited for it go on. */
  async pass(ms: number): Promise<void> {
    await turn()
    this.clock.pass(ms)
    await turn()
  }

  told(): string[] {
    return this.events.map(({type}) => type).filter(type => type !== 'applied')
  }
}

/** Answers one after the other, the last one again and again. */
const answers = (...outcomes: Outcome[]): {attempt: SendAttempt<Outcome>; count: () => number} => {
  let count = 0
  const attempt: SendAttempt<Outcome> = async ({number}) => {
    t.equal(number, ++count, 'attempts are counted from 1')
    return outcomes[Math.min(number, outcomes.length) - 1] ?? ''
  }
  return {attempt, count: () => count}
}

const untilStopped: SendAttempt<Outcome> = async control =>
  new Promise(resolve => {
    control.onStop(() => resolve('cut'))
  })

/** Runs with pauses that are over at once. */
const finish = async (bench: Bench, running: Promise<Outcome>): Promise<Outcome> => {
  const PENDING = Symbol('pending')
  for (;;) {
    const first = await Promise.race([running, bench.pass(10).then(() => PENDING)])
    if (typeof first !== 'symbol') return first
  }
}

type Row = readonly [list: string, maxRetries: number, answers: readonly Outcome[], calls: number, Outcome]
const retried = (list: string, status: number): Row => [list, 3, [status], 4, status]

// Dapr's integration tests defaultretry, retrymatchinghttp and retry/retryHTTP: how many calls, and what the caller gets.
t.test('how often a call is sent', async t => {
  const LIST = '100,101,102,200,304,403,505,501-503,509,546,547'
  const table: readonly Row[] = [
    ['', 3, [400], 4, 400],
    ['', 2, [500], 3, 500],
    ['', 0, [500], 1, 500],
    ['', 3, [500, 200], 2, 200],
    ['', 3, ['refused', 'refused', 204], 3, 204],
    ['', 3, ['refused'], 4, 'refused'],
    ['', 3, ['held'], 1, 'held'],
    ['', 3, [302], 1, 302],
    [LIST, 3, [200], 1, 200],
    [LIST, 3, [204], 1, 204],
    [LIST, 3, [304], 1, 304],
    [LIST, 3, [404], 1, 404],
    [LIST, 3, [504], 1, 504],
    [LIST, 3, [548], 1, 548],
    ...[403, 501, 502, 503, 505, 509, 546, 547, 101].map(status => retried(LIST, status)),
    [LIST, 3, ['refused'], 4, 'refused'],
    ['200,301', 2, [500], 1, 500],
    ['200-320', 2, [500], 1, 500],
    ['400-550', 2, [500], 3, 500],
    ['200,400-500,501', 2, [501], 3, 501],
    ['400-599', 2, [600], 1, 600],
    ['', 2, [20], 1, 20]
  ]
  for (const [list, maxRetries, given, calls, expected] of table) {
    const http = list === '' ? undefined : (parseStatusCodes(list, HTTP_CODE_RANGE) as readonly CodeRange[])
    const bench = new Bench({retry: retries({maxRetries, matching: {http, grpc: undefined}})})
    const {attempt, count} = answers(...given)
    const name = `${list} ${maxRetries} ${given.join()}`
    t.equal(await finish(bench, bench.run(attempt)), expected, name)
    t.equal(count(), calls, name)
    t.equal(bench.discarded.length, calls - 1, 'all answers but the last are freed')
  }
})

t.test('retries are told: each with its pause, and the recovery', async t => {
  const bench = new Bench({retry: retries()})
  const running = bench.run(answers(503, 'refused', 200).attempt)
  await turn()
  t.match(bench.events, [
    {type: 'applied', policy: 'retry', state: ''},
    {type: 'retrying', cause: 503, retry: 1, maxRetries: 3, delayMs: 10}
  ])
  await bench.pass(9)
  t.equal(bench.events.length, 2, 'not before the pause is over')
  await bench.pass(1)
  t.match(bench.events[2], {type: 'retrying', cause: 'failed', retry: 2})
  await bench.pass(10)
  t.match(bench.events[3], {type: 'recovered', attempts: 3})
  t.equal(await running, 200)
})

t.test('a call that cannot be sent again is sent once, and the reason is told', async t => {
  const bench = new Bench({retry: retries()})
  const {attempt, count} = answers(503)
  t.equal(await bench.run(attempt, () => 'its body is too large'), 503)
  t.equal(count(), 1)
  t.match(bench.events.at(-1), {type: 'not-retried', reason: 'its body is too large'})
  t.strictSame(bench.discarded, [])
  const well = new Bench({retry: retries()})
  t.equal(await well.run(answers(200).attempt, () => 'its body is too large'), 200)
  t.strictSame(well.told(), [], 'it is not asked when nothing failed')
})

t.test('each attempt has its own timeout, and one that times out is retried', async t => {
  const bench = new Bench({timeoutMs: 100, retry: retries({maxRetries: 1})})
  const attempts: AttemptControl[] = []
  const late: ((outcome: Outcome) => void)[] = []
  const running = bench.run(attempt => {
    attempts.push(attempt)
    return new Promise(resolve => late.push(resolve))
  })
  await bench.pass(99)
  t.equal(attempts[0]?.isStopped, false)
  await bench.pass(1)
  t.equal(attempts[0]?.isStopped, true)
  t.strictSame(bench.told(), ['timed-out', 'retrying'])
  t.match(bench.events.at(-1), {cause: 'timeout'})
  await bench.pass(10)
  t.equal(attempts.length, 2)
  t.equal(attempts[1]?.isStopped, false)
  await bench.pass(100)
  t.equal(await running, 'timeout')
  t.match(bench.events.at(-1), {type: 'timed-out', attempt: 2, isFirst: false, timeoutMs: 100})
  late[0]?.(200)
  await turn()
  t.strictSame(bench.discarded, ['timeout', 200], 'an answer after the timeout is freed')
})

t.test('time in which a call is held does not count', async t => {
  const bench = new Bench({timeoutMs: 100})
  const running = bench.run(
    control =>
      new Promise(resolve => {
        control.pause()
        bench.clock.after(10_000, () => control.resume())
        bench.clock.after(10_099, () => resolve(control.isStopped ? 'stopped' : 200))
      })
  )
  await bench.pass(10_099)
  t.equal(await running, 200)
  t.strictSame(bench.told(), [])
})

t.test('an open circuit breaker ends the retries', async t => {
  const bench = new Bench({retry: retries({maxRetries: 9}), tripAfter: 3})
  const {attempt, count} = answers(500)
  t.equal(await finish(bench, bench.run(attempt)), 'circuit breaker is open')
  t.equal(count(), 3, 'each attempt counts once')
  t.strictSame(bench.told(), ['retrying', 'retrying', 'breaker-changed', 'retrying', 'refused'])
  t.equal(await bench.run(attempt), 'circuit breaker is open', 'the next call is not tried')
  t.equal(count(), 3)
  t.match(bench.events.at(-2), {type: 'applied', policy: 'circuitbreaker', state: 'open'})
})

t.test('a half-open one tries one call and refuses others meanwhile', async t => {
  const bench = new Bench({tripAfter: 1})
  t.equal(await bench.run(answers(500).attempt), 500)
  await bench.pass(1001)
  const {promise, resolve: end} = Promise.withResolvers<Outcome>()
  const probe = bench.run(async () => promise)
  await turn()
  t.equal(await bench.run(answers(200).attempt), 'too many requests')
  end(200)
  t.equal(await probe, 200)
  t.equal(bench.breaker?.state, 'closed')
})

t.test('timeouts and missing answers count as failures, a vain hold and a caller who left do not', async t => {
  const timed = new Bench({timeoutMs: 5, tripAfter: 1})
  const running = timed.run(() => new Promise(() => undefined))
  await timed.pass(5)
  t.equal(await running, 'timeout')
  t.equal(timed.breaker?.state, 'open')

  const held = new Bench({tripAfter: 1})
  await held.run(answers('held').attempt)
  t.equal(held.breaker?.state, 'closed')

  for (const timeoutMs of [0, 5000]) {
    const left = new Bench({tripAfter: 1, timeoutMs})
    const cut = left.run(untilStopped)
    await turn()
    left.calls[0]?.cancel()
    t.equal(await cut, timeoutMs === 0 ? 'cut' : 'cancelled')
    t.equal(left.breaker?.state, 'closed')
  }

  const thrown = new Bench({tripAfter: 1, timeoutMs: 5})
  await t.rejects(
    thrown.run(async () => Promise.reject(new Error('a bug'))),
    /a bug/
  )
  t.equal(thrown.breaker?.state, 'open')
})

t.test('a caller that leaves ends the retries, also within a pause', async t => {
  const bench = new Bench({retry: retries({durationMs: 60_000})})
  const {attempt, count} = answers(500)
  const running = bench.run(attempt)
  await turn()
  bench.calls[0]?.cancel()
  t.equal(await running, 'cancelled')
  t.equal(count(), 1)

  const gone = new Bench({retry: retries()})
  const second = gone.run(answers(500).attempt)
  gone.calls[0]?.cancel()
  t.equal(await second, 500, 'an attempt that ends nevertheless')
  t.strictSame(gone.told(), [], 'is the last one')
})
