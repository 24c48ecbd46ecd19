import t from 'tap'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import {appControl} from '../../../src/run/app-control.ts'
import {RunLog} from '../../../src/observe/logging/run-log.ts'
import {planOf} from '../../rig/plan.ts'

type Asked = Parameters<typeof appControl>[0]

/** Other apps, or another state of the app. */
type Meanwhile = Partial<Record<'apps' | 'runtime', object>>

/** Restarts a running app whose components are tried again by `openAgain`; `after`: its state then; `meanwhile`: what happens to the run; `failure`: why the old process continues. */
function restartOf(fault: string, openAgain: () => Promise<void>, after?: object, meanwhile?: Meanwhile, failure = '') {
  const plan = planOf({id: 'shop', command: ['node']})
  const up = {state: {phase: 'running', ready: true}}
  const runtime = {id: 'shop', plan, fault, app: up, obstacle: '', sleep: {}, onMove: () => () => undefined}
  const restarted: unknown[] = []
  const asked = {
    apps: {
      named: () => [runtime as unknown as AppRuntime],
      settled: async () => undefined,
      leftOut: () => [],
      all: [runtime]
    },
    sidecars: new Map([[runtime, {openAgain}]]),
    changes: {
      ownerOf: (all: unknown) => ({
        want: () => restarted.push(all),
        follow: async () => {
          if (after !== undefined) Object.assign(runtime.app, {state: after})
          Object.assign(asked.apps, meanwhile?.apps)
          Object.assign(runtime, meanwhile?.runtime)
          return Promise.resolve(failure)
        }
      })
    },
    lifetime: {isOver: false}
  } as unknown as Asked
  return {restarted, why: appControl(asked).restartApp('shop')}
}

const noCode = async (): Promise<void> => Promise.reject(new Error('no descriptor is free'))

t.test('restart does not wait for a component that cannot be opened and that the app does without', async t => {
  const {why, restarted} = restartOf('', async () => new Promise(() => undefined))
  t.equal(await why, '')
  t.equal(restarted.length, 1)
})

t.test('nor does it fail where their code cannot be loaded; one that keeps the app from starting is said', async t => {
  t.equal(await restartOf('', noCode).why, '')
  t.equal(await restartOf('its store cannot be opened', noCode).why, 'its store cannot be opened')
})

t.test('restart says why no process could be started', async t => {
  const exit = {kind: 'spawn-error', message: 'no such folder'}
  for (const state of [
    {phase: 'backoff', failures: 1, until: Infinity, last: exit},
    {phase: 'exited', exit, asked: false}
  ]) {
    const {why} = restartOf('', async () => Promise.resolve(), state)
    t.equal(await why, 'it could not be started: no such folder')
  }
})

t.test('a restart that a debugger, or an edit, has come before is none', async t => {
  const ended = {phase: 'exited', exit: undefined, asked: true}
  const after = async (meanwhile: Meanwhile) => restartOf('', async () => Promise.resolve(), ended, meanwhile).why
  t.equal(await after({runtime: {isDebugged: true}}), 'it went to a debugger meanwhile')
  const goesOn = restartOf('', async () => Promise.resolve(), undefined, {}, 'the old process continues')
  t.equal(await goesOn.why, 'the old process continues')
  t.equal(await after({runtime: {leaves: true}, apps: {named: () => []}}), undefined, 'it has left the run')
})

t.test('a restart during which an edit opens the app waits until that has started', async t => {
  const listeners: (() => void)[] = []
  const runtime = {isBetweenOpenings: true, onMove: (listener: () => void) => listeners.push(listener) && doNothing}
  const ended = {phase: 'exited', exit: undefined, asked: true}
  const {why, restarted} = restartOf('', async () => Promise.resolve(), ended, {runtime})
  while (listeners.length === 0) await new Promise(setImmediate)
  Object.assign(restarted[0] as object, {isBetweenOpenings: false, app: {state: {phase: 'starting', pid: 2}}})
  for (const look of listeners) look()
  t.equal(await why, '')
})

const doNothing = (): void => undefined

t.test('who follows an app is given the lines of the version that was assigned meanwhile', async t => {
  const runLog = new RunLog()
  const record = {length: 0, closed: new AbortController().signal, startOfLast: async () => 0}
  const versions = ['1.0.0', '2.0.0'].map(version => {
    const plan = {...planOf({id: 'svc', command: ['node']}), version}
    return {id: 'svc', plan, logs: {app: {runLog: runLog.writer(version), record}}}
  })
  const [first, second] = versions.map(({logs}) => logs.app.runLog)
  let main = versions[0]
  const asked = {
    apps: {named: () => versions, settled: async () => undefined},
    main: () => main,
    runLog,
    form: {kind: 'daeploy'}
  } as unknown as Asked
  const gone = new AbortController()
  const query = {tail: 0, since: 0, isFollowed: true, isColoured: false, version: '', gone: gone.signal}
  const given: string[] = []
  const isRead = (async () => {
    for await (const text of appControl(asked).runLogs(['svc'], query, gone.signal) ?? []) {
      given.push(text.replaceAll(/^\d+ /gm, ''))
      if (text.endsWith('last\n')) gone.abort()
    }
  })()
  while (given.length === 0) await new Promise(setImmediate)
  first?.write('stdout', 'a\n', 1, 0)
  second?.write('stdout', 'not asked for\n', 1, 0)
  main = versions[1]
  second?.write('stdout', 'b\n', 1, 0)
  first?.write('stdout', 'last\n', 1, 0)
  await isRead
  t.equal(given.join(''), '\nstdout 1.0.0 a\nstdout 2.0.0 b\nstdout 1.0.0 last\n')
})

t.test('the terminal of a version is its own, and without one that of the main version', async t => {
  const [first, second] = ['1.0.0', '2.0.0'].map(version => ({
    id: 'hello',
    plan: {...planOf({id: 'hello', command: ['node']}), version},
    isDebugged: version === '1.0.0'
  }))
  const asked = {apps: {named: () => [first, second]}, main: () => first} as unknown as Asked
  const terminalOf = async (version: string) =>
    appControl(asked).terminal({id: 'hello', version}, false, new AbortController().signal)
  t.match(await terminalOf(''), /^it is in a debugger/)
  t.match(await terminalOf('1.0.0'), /^it is in a debugger/)
  t.match(await terminalOf('2.0.0'), /^it has no terminal/)
  t.equal(await terminalOf('3.0.0'), undefined)
})
