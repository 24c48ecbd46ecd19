import t from 'tap'
import type {AppState} from '../../../src/model/app-state.ts'
import {AdmissionQueue} from '../../../src/proxy/gateway/admission-queue.ts'
import {AppSleep} from '../../../src/supervisor/app-sleep.ts'
import {TestClock} from '../../rig/clock.ts'
import {planOf} from '../../rig/plan.ts'

const nothing = (): void => undefined

/** It is not falling asleep. */
const need = (): boolean => false

t.test('a call that comes before the run has put the app to sleep starts it', async t => {
  const woken: string[] = []
  const app: {state: AppState} = {state: {phase: 'idle'}}
  const queue: AdmissionQueue = new AdmissionQueue({timeoutMs: Infinity, onWait: call => sleep.onWait(call)})
  const sleep = new AppSleep(
    {plan: planOf(), queue, app, need},
    {starting: nothing, triggers: () => ({}), wake: cause => woken.push(cause), learn: nothing}
  )
  queue.hold('"stock" has not been started')
  queue.admit({caller: 'shop', method: 'GET', path: '/items'})
  t.same(woken, [])
  app.state = {phase: 'asleep', last: undefined}
  sleep.onMove()
  t.same(woken, ['shop: GET /items'])
})

t.test('one that cannot be started is tried later, or once it can be, not by each that needs it', async t => {
  const woken: string[] = []
  const app: {state: AppState} = {state: {phase: 'asleep', last: undefined}}
  const needs = ['an event', 'an actor']
  const look = (): void => needs.forEach(each => sleep.need(each))
  const sleep: AppSleep = new AppSleep(
    {plan: planOf(), queue: new AdmissionQueue({timeoutMs: Infinity}), app, need},
    {
      starting: nothing,
      triggers: () => ({}),
      // what it depends on has failed: it sleeps on, and all that wait for it look again
      wake: cause => {
        if (woken.push(cause) > 5) throw new Error('without an end')
        sleep.onMove()
        look()
      },
      learn: nothing
    }
  )
  look()
  t.same(woken, ['an event'])
  sleep.retry()
  t.same(woken, ['an event', 'an actor'])
  app.state = {phase: 'starting', pid: 1}
  sleep.onMove()
  app.state = {phase: 'running', pid: 1, ready: true}
  sleep.onMove()
  sleep.retry()
  t.equal(woken.length, 2, 'it runs')
})

t.test('what waits without a limit tries again without an end, at most once a minute', async t => {
  const clock = new TestClock()
  const woken: number[] = []
  const app: {state: AppState} = {state: {phase: 'asleep', last: undefined}}
  const sleep = new AppSleep(
    {plan: planOf(), queue: new AdmissionQueue({timeoutMs: Infinity}), app, need},
    {starting: nothing, triggers: () => ({}), wake: () => woken.push(clock.now()), learn: nothing, clock}
  )
  sleep.need('a job')
  for (let tries = 1; tries < 10; tries++) {
    app.state = {phase: 'starting', pid: 1}
    sleep.onMove()
    app.state = {phase: 'asleep', last: {kind: 'code', code: 1}}
    sleep.onMove()
    sleep.need('a job')
    clock.pass(Math.min(1000 * 2 ** (tries - 1), 60_000) - 1)
    t.equal(woken.length, tries)
    clock.pass(1)
    t.equal(woken.length, tries + 1)
  }
})

t.test('one whose own process fails is not tried again and again because its dependency starts each time', async t => {
  const woken: string[] = []
  const app: {state: AppState} = {state: {phase: 'asleep', last: undefined}}
  const sleep = new AppSleep(
    {plan: planOf(), queue: new AdmissionQueue({timeoutMs: Infinity}), app, need},
    {starting: nothing, triggers: () => ({}), wake: cause => woken.push(cause), learn: nothing}
  )
  const fail = (): void => {
    app.state = {phase: 'starting', pid: 1}
    sleep.onMove()
    app.state = {phase: 'asleep', last: {kind: 'code', code: 1}}
    sleep.onMove()
  }
  sleep.need('an event')
  fail()
  sleep.retry()
  t.equal(woken.length, 1, 'what it depends on was there')
  // it is woken, and with it what it depends on, which comes
  sleep.wake('shop: GET /items')
  sleep.retry()
  fail()
  sleep.need('an event')
  sleep.retry()
  t.equal(woken.length, 2)
})
