import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import type {AppState} from '../../../../src/model/app-state.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {Supervised} from '../../../../src/supervisor/process/supervised.ts'
import {overlap} from '../../../../src/supervisor/reload/overlap.ts'
import {TestClock} from '../../../rig/clock.ts'

t.test('a new process whose leader has ended does not take over while what it left behind is ending', async t => {
  const asked: string[] = []
  const note = (what: string) => (): void => void asked.push(what)
  let state: AppState = {phase: 'running', pid: 2, ready: true}
  const ended = Promise.withResolvers<AppState>()
  const app = {
    get state() {
      return state
    },
    ended: ended.promise
  } as Partial<Supervised> as Supervised
  const candidate = {
    app,
    ready: async () => Promise.resolve(true),
    healthy: async () => Promise.resolve(true),
    drop: async () => Promise.resolve(note('drop')()),
    promote: () => {
      note('promote')()
      return {cut: note('cut'), stop: async () => Promise.resolve()}
    }
  }
  const letGo = async (): Promise<boolean> => {
    state = {phase: 'running', pid: 2, ready: false}
    return Promise.resolve(true)
  }
  const old = {state: {phase: 'running', pid: 1, ready: true}} as Partial<Supervised> as Supervised
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  const plan = {stop: {timeoutMs: 5000}, ready: {timeoutMs: 60_000}} as unknown as AppPlan
  const done = overlap({
    runtime: {name: 'shop', plan, queue, app: old, candidate: async () => Promise.resolve(candidate)},
    signal: new AbortController().signal,
    clock: new TestClock(),
    letGo: () => letGo,
    letGoMs: () => 0,
    keepHosted: note('keep'),
    finishWork: () => async () => Promise.resolve(true),
    cut: () => ''
  })
  while (state.ready) await new Promise(setImmediate)
  await new Promise(setImmediate)
  t.strictSame(asked, ['keep'], 'its actors do not wait for that')
  state = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
  ended.resolve(state)
  t.match(await done, {kind: 'kept', why: /^the new process of "shop" .*3.*: the old process continues$/})
  t.strictSame(asked, ['keep', 'drop'])
})
