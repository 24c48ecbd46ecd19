import t from 'tap'
import type {AppState} from '../../../../src/model/app-state.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {IdleClocks} from '../../../../src/run/sleep/idle-clocks.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {AppSleep} from '../../../../src/supervisor/app-sleep.ts'
import {planOf} from '../../../rig/plan.ts'

const nothing = (): void => undefined

/** One that runs, and falls asleep after this time. */
function running(idleTimeoutMs: number): AppRuntime {
  const app: {state: AppState} = {state: {phase: 'running', pid: 1, ready: true}}
  const plan = planOf({idleTimeoutMs})
  const sleeper = {plan, wanted: plan, app, queue: new AdmissionQueue({timeoutMs: 1000}), need: () => false}
  const sleep = new AppSleep(sleeper, {starting: nothing, triggers: () => ({}), wake: nothing, learn: nothing})
  return {...sleeper, name: 'stock', sidecar: {}, sleep} as unknown as AppRuntime
}

/** Puts an app to sleep at once. */
async function fall({app}: AppRuntime): Promise<boolean> {
  Object.assign(app, {state: {phase: 'asleep', last: undefined}})
  return Promise.resolve(true)
}

t.test('the time is that of the app as an edit has opened it again', async t => {
  const over = new AbortController()
  const asleep = Promise.withResolvers<string>()
  let instances = [running(600_000)]
  const clocks = new IdleClocks({
    emit: event => asleep.resolve(event.type),
    over: over.signal,
    activityOf: () => ({isBusy: () => false, count: () => 0}),
    instancesOf: () => instances,
    fall
  })
  for (const runtime of instances) clocks.follow(runtime)
  instances = [running(10)]
  for (const runtime of instances) clocks.follow(runtime)
  t.equal(await asleep.promise, 'app-asleep')
  over.abort()
})

t.test('one that is started again while it falls asleep falls asleep later', async t => {
  const over = new AbortController()
  const asleep = Promise.withResolvers<string>()
  const stock = running(10)
  let falls = 0
  const clocks = new IdleClocks({
    emit: event => asleep.resolve(event.type),
    over: over.signal,
    activityOf: () => ({isBusy: () => false, count: () => 0}),
    instancesOf: () => [stock],
    // a save has requested a process, which runs by now
    fall: async runtime => {
      if (falls++ > 0) return fall(runtime)
      clocks.follow(runtime)
      return false
    }
  })
  clocks.follow(stock)
  t.equal(await asleep.promise, 'app-asleep')
  t.equal(falls, 2)
  over.abort()
})

t.test('one with an instance that never sleeps, by another entry of its id, is not idle until it is gone', async t => {
  const over = new AbortController()
  const asleep = Promise.withResolvers<string>()
  const looked = Promise.withResolvers<void>()
  const [stock, other] = [running(10), Object.assign(running(10), {sleep: {maySleep: false}})]
  let instances = [stock, other]
  let hasBegun = false
  const judged = new Set<number>()
  const clocks = new IdleClocks({
    emit: event => asleep.resolve(event.type),
    over: over.signal,
    activityOf: () => {
      judged.add(instances.length)
      return {isBusy: () => false, count: () => 0}
    },
    instancesOf: () => {
      if (hasBegun) setImmediate(looked.resolve)
      return instances
    },
    fall
  })
  clocks.follow(stock)
  hasBegun = true
  await looked.promise
  instances = [stock]
  clocks.follow(stock)
  t.equal(await asleep.promise, 'app-asleep')
  t.same([...judged], [1])
  over.abort()
})

t.test('an instance that never sleeps and has exited, as by a stop, keeps no other awake', async t => {
  const over = new AbortController()
  const asleep = Promise.withResolvers<string>()
  const looked = Promise.withResolvers<void>()
  const [stock, other] = [running(10), Object.assign(running(10), {sleep: {maySleep: false}})]
  let hasBegun = false
  const clocks = new IdleClocks({
    emit: event => asleep.resolve(event.type),
    over: over.signal,
    activityOf: () => ({isBusy: () => false, count: () => 0}),
    instancesOf: () => {
      if (hasBegun) setImmediate(looked.resolve)
      return [stock, other]
    },
    fall
  })
  clocks.follow(stock)
  hasBegun = true
  await looked.promise
  Object.assign(other.app, {state: {phase: 'exited', exit: undefined, asked: true}})
  t.equal(await asleep.promise, 'app-asleep')
  over.abort()
})
