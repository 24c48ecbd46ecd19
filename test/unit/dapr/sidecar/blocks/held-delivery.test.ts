import t from 'tap'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventAnswer} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {OUTCOMES, type EventOutcome} from '../../../../../src/dapr/sidecar/blocks/event-outcome.ts'
import {HeldDelivery} from '../../../../../src/dapr/sidecar/blocks/held-delivery.ts'
import {BUILT_IN_RETRY} from '../../../../../src/files/resources/defaults.ts'
import {ResilientCall, type Outcomes} from '../../../../../src/proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {TestClock} from '../../../../rig/clock.ts'

/** An event that an app has, under a policy that tries again: the test gives the app's answers. */
function deliver(timeoutMs: number) {
  const clock = new TestClock()
  const over = new AbortController()
  const retry = {...BUILT_IN_RETRY, name: 'r', durationMs: 1000, maxRetries: 3}
  const policies = {endpoint: {target: 'bus', key: 'bus'}, timeoutMs, retry, breaker: undefined}
  const runtime = {clock, random: () => 0.5, emit: () => undefined}
  const context = {
    policies: () => ({
      find: () => policies,
      call: <Outcome>(found: typeof policies, outcomes: Outcomes<Outcome>) =>
        new ResilientCall(found, runtime, outcomes)
    })
  } as unknown as BlockContext
  const held = new HeldDelivery<Exclude<EventOutcome, {kind: 'interrupted' | 'stopped'}>>({
    context,
    block: 'pubsub',
    component: () => 'bus',
    ready: () => undefined,
    outcomes: OUTCOMES,
    interrupted: answer => answer,
    signal: over.signal
  })
  const answers: ((answer: EventAnswer) => void)[] = []
  const outcome = held.run(async attempt => {
    const {promise, resolve} = Promise.withResolvers<EventAnswer>()
    answers.push(resolve)
    attempt?.onStop(() => resolve({kind: 'failed', status: 0, text: 'context canceled'}))
    return promise
  })
  return {clock, over, answers, outcome}
}

for (const timeoutMs of [0, 60_000]) {
  t.test(`delivery stops while the app has an event: its answer counts (timeout: ${timeoutMs})`, async t => {
    const {over, answers, outcome} = deliver(timeoutMs)
    over.abort()
    answers[0]?.({kind: 'success'})
    t.same(await outcome, {kind: 'success'})
  })

  t.test(`and one that fails then goes back to its broker (timeout: ${timeoutMs})`, async t => {
    const {over, answers, outcome} = deliver(timeoutMs)
    over.abort()
    answers[0]?.({kind: 'failed', status: 500, text: 'no'})
    t.same(await outcome, {kind: 'stopped'})
    t.equal(answers.length, 1)
  })

  t.test(`one that waits to be tried again is not (timeout: ${timeoutMs})`, async t => {
    const {over, answers, outcome} = deliver(timeoutMs)
    answers[0]?.({kind: 'failed', status: 500, text: 'no'})
    await new Promise(setImmediate)
    over.abort()
    t.same(await outcome, {kind: 'stopped'})
    t.equal(answers.length, 1)
  })
}

t.test('an app that does not answer in time after delivery has stopped is not waited for', async t => {
  const {clock, over, answers, outcome} = deliver(60_000)
  over.abort()
  clock.pass(60_000)
  t.same(await outcome, {kind: 'stopped'})
  t.equal(answers.length, 1)
})
