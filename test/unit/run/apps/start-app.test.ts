import t from 'tap'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
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

const starterOf = (all: AppRuntime[], options: object, stopped: readonly AppRuntime[] = []): AppStarter => {
  const apps = {
    all,
    settled: async () => undefined,
    named: (id: string) => all.filter(each => each.id === id),
    leftOut: () => [],
    isStopped: (runtime: AppRuntime) => stopped.includes(runtime),
    reopen: async (runtime: AppRuntime) => {
      const fresh = app(runtime.id, {fault: 'its store cannot be opened', debug: () => undefined})
      all.splice(all.indexOf(runtime), 1, fresh)
      return Promise.resolve(fresh)
    }
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

t.test('a stopped app whose components cannot be opened is not handed over', async t => {
  const stopped = app('shop')
  const starter = starterOf([stopped], {}, [stopped])
  t.match(await starter.debug('shop'), {why: 'its store cannot be opened'})
})
