import t from 'tap'
import {SingleFlight} from '../../../../src/model/single-flight.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {AppStarter, type AppStarterOptions} from '../../../../src/run/apps/start-app.ts'
import {planOf} from '../../../rig/plan.ts'

const onMove = () => () => undefined

/** An app that runs, or one that was not started. */
const app = (id: string, wishes: object = {}): AppRuntime => {
  const plan = planOf({id, command: ['node'], dependsOn: []})
  const state = {phase: 'running', ready: true}
  const rest = {app: {state}, progress: {id, state, hasStarted: true}, sleep: {isAsleep: false}, fault: ''}
  const intent = {person: 'none', isStartRequested: false, leaves: false, changeHands: () => undefined}
  const facts = {isDebugged: false, isExcepted: false, isGivenUp: false, isStopped: false, hasLeft: false}
  return {id, plan, wanted: plan, ...rest, ...intent, ...facts, onMove, ...wishes} as unknown as AppRuntime
}

/** `fault`: that of an app that is opened again. */
const starterOf = (
  all: AppRuntime[],
  options: object,
  stopped: readonly AppRuntime[] = [],
  fault: {readonly fault?: string} = {}
): AppStarter => {
  const opening = new SingleFlight<AppRuntime, boolean>()
  for (const each of stopped) each.isStopped = true
  const apps = {
    all,
    lost: [],
    settled: async () => undefined,
    named: (id: string) => all.filter(each => each.id === id),
    leftOut: () => [],
    reopen: async (runtime: AppRuntime) =>
      opening.do(runtime, async () => {
        const isDebugged = runtime.person === 'debugs'
        await new Promise(setImmediate)
        Object.assign(runtime, {isDebugged, isStopped: false, ...fault})
        return true
      })
  }
  const main = (id: string): AppRuntime | undefined => all.find(each => each.id === id)
  const starts = {late: async () => undefined}
  const parts = {apps, lifetime: {isOver: false}, starts, faultNow: async () => '', main, ...options}
  return new AppStarter(parts as unknown as AppStarterOptions)
}

t.test('an app that is stopped or removed while its process ends is not said to be handed over', async t => {
  const shop = app('shop')
  const apps = {all: [shop], lost: [], settled: async () => undefined, named: () => [shop], leftOut: () => []}
  const whyAfter = async (meanwhile: () => void, lifetime = {isOver: false}) => {
    const renew = async (): Promise<void> => Promise.resolve(meanwhile())
    return (await starterOf([shop], {changes: {renew}, lifetime, apps}).debug('shop'))?.why
  }
  const lifetime = {isOver: false}
  t.equal(await whyAfter(() => (lifetime.isOver = true), lifetime), 'the run is stopping')
  t.equal(await whyAfter(() => undefined), '')
  t.equal(
    await whyAfter(() => void Object.assign(shop, {isStopped: true, person: 'stopped'})),
    'it was stopped meanwhile'
  )
  Object.assign(shop, {isStopped: false})
  t.equal(await whyAfter(() => (shop.leaves = true)), 'it has left the template meanwhile')
})

t.test('a stopped app whose components cannot be opened is not handed over', async t => {
  const stopped = app('shop')
  const starter = starterOf([stopped], {}, [stopped], {fault: 'its store cannot be opened'})
  t.match(await starter.debug('shop'), {why: 'its store cannot be opened'})
})

t.test('of a start and a debugger that come at once for a stopped app the later one has it', async t => {
  for (const isLast of ['debug', 'start'] as const) {
    const shop = app('shop')
    const changes = {renew: async () => void Object.assign(shop, {isDebugged: shop.person === 'debugs'})}
    const starter = starterOf([shop], {changes}, [shop])
    const asked = {debug: async () => starter.debug('shop'), start: async () => starter.start('shop')}
    const first = asked[isLast === 'debug' ? 'start' : 'debug']()
    const second = asked[isLast]()
    t.match(await Promise.all([first, second]), [{why: ''}, {why: ''}])
    t.equal(shop.isDebugged, isLast === 'debug')
    t.equal(shop.isStopped, false)
  }
})

t.test(
  'an app of an inactive profile that has ended when the last of its instances is opened is not started twice',
  async t => {
    const all: AppRuntime[] = []
    const leftOut = [0, 1].map(instance => planOf({id: 'job', command: ['node'], dependsOn: [], instance}))
    const log: string[] = []
    const apps = {
      all,
      lost: [],
      settled: async () => undefined,
      named: () => all,
      leftOut: () => leftOut.slice(all.length),
      bringIn: async (plan: AppPlan) => {
        const state = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
        const opened = app('job', {plan, wanted: plan, app: {state}})
        all.push(opened)
        return Promise.resolve(opened)
      }
    }
    const starts = {late: async ({plan}: AppRuntime) => void log.push(`start ${plan.instance}`)}
    const changes = {renew: async (again: AppRuntime) => void log.push(`restart ${again.plan.instance}`)}
    t.match(await starterOf([], {apps, starts, changes}).start('job'), {outcome: 'started'})
    t.same(log, ['start 0', 'start 1'])
  }
)

t.test('an app that is started as soon as what it has waited for runs is not started twice', async t => {
  const never = {phase: 'exited', asked: true, exit: undefined}
  const job = app('job', {app: {state: never}, isGivenUp: true})
  Object.assign(job.wanted, {dependsOn: [{id: 'db', until: 'started'}]})
  const db = app('db', {app: {state: never}, progress: {id: 'db', state: never, hasStarted: false}})
  const again: unknown[] = []
  const changes = {
    renew: async (runtime: AppRuntime) => {
      if (runtime !== db) again.push(runtime)
      Object.assign(db.app, {state: {phase: 'running', ready: true}})
      Object.assign(job, {
        isGivenUp: false,
        isStartRequested: false,
        app: {state: {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}}
      })
      return Promise.resolve()
    }
  }
  t.match(await starterOf([job, db], {changes}).start('job'), {outcome: 'started'})
  t.same(again, [])
})

t.test('what could not be opened is opened before an app that depends on it', async t => {
  const exited = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
  const job = app('job', {app: {state: exited}})
  const log: string[] = []
  Object.assign(job.plan, {dependsOn: [{id: 'db', until: 'started'}]})
  Object.assign(job, {reset: () => void log.push('reset')})
  const apps = {
    all: [job],
    lost: ['db'],
    settled: async () => undefined,
    named: (id: string) => (id === 'job' ? [job] : []),
    leftOut: () => []
  }
  const changes = {
    applyAgain: async () => void log.push('the template is read again'),
    renew: async () => void log.push('restart')
  }
  const starts = {late: async () => void log.push('it waits for its turn')}
  await starterOf([job], {apps, changes, starts}).start('job')
  t.same(
    log,
    ['the template is read again', 'reset', 'it waits for its turn'],
    'and where that fails it is not started'
  )
})

t.test('a start that wakes an app says what becomes of its next process, not of the one before', async t => {
  const last = {kind: 'spawn-error', message: 'no such folder'}
  const failed = {outcome: 'failed', why: 'it could not be started: no such folder'}
  for (const [before, moves, outcome] of [
    [last, [{phase: 'starting', pid: 1}], {outcome: 'started', why: ''}],
    [
      undefined,
      [
        {phase: 'starting', pid: undefined},
        {phase: 'asleep', last}
      ],
      failed
    ]
  ] as const) {
    const sleep = {isAsleep: true, isWaking: false, wake: () => (sleep.isWaking = true)}
    const listeners: (() => void)[] = []
    const lazy = app('lazy', {
      app: {state: {phase: 'asleep', last: before}},
      sleep,
      onMove: (listener: () => void) => {
        listeners.push(listener)
        return () => undefined
      }
    })
    const started = starterOf([lazy], {}).start('lazy')
    await new Promise(setImmediate)
    sleep.isWaking = false
    for (const state of moves) {
      Object.assign(lazy.app, {state})
      for (const look of listeners) look()
    }
    t.same(await started, outcome)
  }
})
