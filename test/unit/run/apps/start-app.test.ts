import t from 'tap'
import {SingleFlight} from '../../../../src/model/single-flight.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import type {OpenMode} from '../../../../src/run/apps/create-app-runtimes.ts'
import {AppStarter, type AppStarterOptions} from '../../../../src/run/apps/start-app.ts'
import {planOf} from '../../../rig/plan.ts'

/** An app that runs, or one that was not started. */
const app = (id: string, wishes: object = {}): AppRuntime => {
  const plan = planOf({id, command: ['node'], dependsOn: []})
  const state = {phase: 'running', ready: true}
  const rest = {app: {state}, progress: {id, state, hasStarted: true}, sleep: {isAsleep: false}, fault: ''}
  const more = {isDebugged: false, isExcepted: false, isGivenUp: false, onMove: () => () => undefined}
  return {id, plan, wanted: plan, ...rest, ...more, ...wishes} as unknown as AppRuntime
}

/** `fault`: that of an app that is opened again. */
const starterOf = (
  all: AppRuntime[],
  options: object,
  stopped: readonly AppRuntime[] = [],
  fault: {readonly fault?: string} = {}
): AppStarter => {
  const opening = new SingleFlight<AppRuntime, AppRuntime>()
  const apps = {
    all,
    lost: [],
    settled: async () => undefined,
    named: (id: string) => all.filter(each => each.id === id),
    leftOut: () => [],
    isStopped: (runtime: AppRuntime) => stopped.includes(runtime),
    reopen: async (runtime: AppRuntime, {isDebugged = false}: OpenMode = {}) =>
      opening.do(runtime, async () => {
        await new Promise(setImmediate)
        const fresh = app(runtime.id, {isDebugged, debug: () => undefined, ...fault})
        all.splice(all.indexOf(runtime), 1, fresh)
        return fresh
      })
  }
  const main = (id: string): AppRuntime | undefined => all.find(each => each.id === id)
  const starts = {late: async () => undefined}
  const parts = {apps, lifetime: {isOver: false}, starts, faultNow: async () => '', main, ...options}
  return new AppStarter(parts as unknown as AppStarterOptions)
}

t.test('an app that an edit opens again while its components are tried again is handed over as it is then', async t => {
  const [before, after] = [app('shop'), app('shop')]
  const all = [before]
  const handedOver: AppRuntime[] = []
  const starter = starterOf(all, {
    faultNow: async () => {
      all.splice(0, 1, after)
      return Promise.resolve('')
    },
    changes: {handOver: async (runtime: AppRuntime) => void handedOver.push(runtime)}
  })
  t.same(await starter.debug('shop'), {why: '', wasDebugged: false})
  t.equal(handedOver.length, 1)
  t.equal(handedOver[0], after)
})

t.test(
  'an app that is stopped, opened again or removed while its process ends is not said to be handed over',
  async t => {
    const [before, after] = [app('shop'), app('shop')]
    for (const [all, handedOver] of [
      [[after], [before, after]],
      [[], [before]]
    ] as const) {
      const there = [before]
      const asked: AppRuntime[] = []
      const handOver = async (runtime: AppRuntime): Promise<void> => {
        asked.push(runtime)
        there.splice(0, 1, ...all)
        return Promise.resolve()
      }
      const why = all.length === 0 ? 'it has left the template meanwhile' : ''
      t.match(await starterOf(there, {changes: {handOver}}).debug('shop'), {why, wasDebugged: false})
      t.same(asked, handedOver)
    }
    const stopped: AppRuntime[] = []
    const stops = {handOver: async () => void stopped.push(before)}
    t.match(await starterOf([before], {changes: stops}, stopped).debug('shop'), {why: 'it was stopped meanwhile'})
    const lifetime = {isOver: false}
    const ends = {handOver: async () => void (lifetime.isOver = true)}
    t.match(await starterOf([before], {changes: ends, lifetime}).debug('shop'), {why: 'the run is stopping'})
  }
)

t.test('a stopped app whose components cannot be opened is not handed over', async t => {
  const stopped = app('shop')
  const starter = starterOf([stopped], {}, [stopped], {fault: 'its store cannot be opened'})
  t.match(await starter.debug('shop'), {why: 'its store cannot be opened'})
})

t.test('of a start and a debugger that come at once for a stopped app the later one has it', async t => {
  for (const isLast of ['debug', 'start'] as const) {
    const stopped = app('shop')
    const all = [stopped]
    const log: string[] = []
    const changes = {
      handOver: async (runtime: AppRuntime) => void log.push(runtime === all[0] ? 'handed over' : 'another one'),
      takeBack: async (runtime: AppRuntime) => void log.push(runtime === all[0] ? 'taken back' : 'another one')
    }
    const starts = {late: async () => void log.push('started')}
    const starter = starterOf(all, {changes, starts}, [stopped])
    const asked = {debug: async () => starter.debug('shop'), start: async () => starter.start('shop')}
    const first = asked[isLast === 'debug' ? 'start' : 'debug']()
    const second = asked[isLast]()
    t.match(await Promise.all([first, second]), [{why: ''}, {why: ''}])
    t.same(log, ['started', isLast === 'debug' ? 'handed over' : 'taken back'])
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
      isStopped: () => false,
      bringIn: async (plan: AppPlan) => {
        const state = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
        const opened = app('job', {plan, wanted: plan, app: {state}})
        all.push(opened)
        return Promise.resolve(opened)
      }
    }
    const starts = {late: async ({plan}: AppRuntime) => void log.push(`start ${plan.instance}`)}
    const changes = {restart: async ([again]: AppRuntime[]) => void log.push(`restart ${again?.plan.instance}`)}
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
    restart: async ([runtime]: AppRuntime[]) => {
      if (runtime !== db) again.push(runtime)
      Object.assign(db.app, {state: {phase: 'running', ready: true}})
      Object.assign(job, {
        isGivenUp: false,
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
    leftOut: () => [],
    isStopped: () => false
  }
  const changes = {
    applyAgain: async () => void log.push('the template is read again'),
    restart: async () => void log.push('restart')
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
