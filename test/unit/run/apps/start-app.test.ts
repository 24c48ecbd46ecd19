import t from 'tap'
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
  const intent = {person: 'none', request: 'no', leaves: false, applyStarter: () => undefined}
  const facts = {isDebugged: false, isExcepted: false, isGivenUp: false, isStopped: false, leaves: false}
  return {id, plan, wanted: plan, ...rest, ...intent, ...facts, onMove, ...wishes} as unknown as AppRuntime
}

/** Follows the steps of the owner of an app. Resolves with the reason why they have failed. */
type Follow = (runtime: AppRuntime) => Promise<string>

const starterOf = (all: AppRuntime[], options: object, follow: Follow): AppStarter => {
  const apps = {
    all,
    failedIds: [],
    settled: async () => undefined,
    named: (id: string) => all.filter(each => each.id === id),
    leftOut: () => [],
    hold: () => onMove
  }
  const main = (id: string): AppRuntime | undefined => all.find(each => each.id === id)
  const changes = {
    applyAgain: async () => undefined,
    ownerOf: (runtime: AppRuntime) => ({follow: async () => follow(runtime)})
  }
  const {apps: given, changes: also, ...rest} = {apps: {}, changes: {}, ...options}
  const parts = {
    lifetime: {isOver: false},
    faultNow: async () => '',
    main,
    ...rest
  }
  return new AppStarter({
    ...parts,
    apps: {...apps, ...given},
    changes: {...changes, ...also}
  } as unknown as AppStarterOptions)
}

t.test('an app that is stopped or removed while its process ends is not said to be handed over', async t => {
  const shop = app('shop')
  const whyAfter = async (follow: () => string) =>
    (await starterOf([shop], {}, async () => follow()).debug('shop'))?.why
  t.equal(await whyAfter(() => ''), '')
  t.equal(await whyAfter(() => 'it was stopped meanwhile'), 'it was stopped meanwhile')
  const leave = (): string => {
    Object.assign(shop, {leaves: true})
    return ''
  }
  t.equal(await whyAfter(leave), 'it has left the template meanwhile')
})

t.test('a stopped app whose components cannot be opened is not handed over', async t => {
  const stopped = app('shop', {isStopped: true})
  const fault = 'its store cannot be opened'
  const starter = starterOf([stopped], {}, async () => {
    Object.assign(stopped, {isDebugged: true, isStopped: false, fault})
    return ''
  })
  t.match(await starter.debug('shop'), {why: fault})
})

t.test('an app of an inactive profile that has ended when its last instance opens is not started twice', async t => {
  const all: AppRuntime[] = []
  const leftOut = [0, 1].map(instance => planOf({id: 'job', command: ['node'], dependsOn: [], instance}))
  const log: string[] = []
  const apps = {
    all,
    failedIds: [],
    settled: async () => undefined,
    named: () => all,
    leftOut: () => leftOut.slice(all.length),
    bringIn: async (plan: AppPlan) => {
      const state = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
      const opened = app('job', {plan, wanted: plan, app: {state}})
      all.push(opened)
      log.push(`start ${plan.instance}`)
      return Promise.resolve()
    }
  }
  const follow = async (again: AppRuntime) => {
    log.push(`restart ${again.plan.instance}`)
    return ''
  }
  t.match(await starterOf([], {apps}, follow).start('job'), {outcome: 'started'})
  t.same(log, ['start 0', 'start 1'])
})

t.test('an app that is started as soon as what it has waited for runs is not started twice', async t => {
  const never = {phase: 'exited', asked: true, exit: undefined}
  const job = app('job', {app: {state: never}, isGivenUp: true})
  Object.assign(job.wanted, {dependsOn: [{id: 'db', until: 'started'}]})
  const db = app('db', {app: {state: never}, progress: {id: 'db', state: never, hasStarted: false}})
  const requests: string[] = []
  const follow = async (runtime: AppRuntime) => {
    requests.push(`${runtime.id}: ${runtime.request}`)
    const state = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
    Object.assign(job, {isGivenUp: false, request: 'no', app: {state}})
    Object.assign(db.app, {state: {phase: 'running', ready: true}})
    return ''
  }
  t.match(await starterOf([job, db], {}, follow).start('job'), {outcome: 'started'})
  t.same(requests, ['db: now', 'job: no'])
})

t.test('what could not be opened is opened before an app that depends on it', async t => {
  const exited = {phase: 'exited', asked: false, exit: {kind: 'code', code: 0}}
  const job = app('job', {app: {state: exited}})
  const log: string[] = []
  Object.assign(job.plan, {dependsOn: [{id: 'db', until: 'started'}]})
  const apps = {failedIds: ['db'], named: (id: string) => (id === 'job' ? [job] : [])}
  const changes = {applyAgain: async () => void log.push('the template is read again')}
  const follow = async () => {
    log.push('it is started')
    return ''
  }
  await starterOf([job], {apps, changes}, follow).start('job')
  t.same(log, ['the template is read again', 'it is started'])
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
    const follow = async () => {
      sleep.wake()
      return ''
    }
    const started = starterOf([lazy], {}, follow).start('lazy')
    await new Promise(setImmediate)
    sleep.isWaking = false
    for (const state of moves) {
      Object.assign(lazy.app, {state})
      for (const look of listeners) look()
    }
    t.same(await started, outcome)
  }
})
