import t from 'tap'
import {noProgress, progressed, standingOf, type Progress} from '../../../../src/supervisor/order/progress.ts'
import type {AppState, Exit} from '../../../../src/model/app-state.ts'

const FAILED: Exit = {kind: 'code', code: 3}
const DONE: Exit = {kind: 'code', code: 0}

const after = (id: string, ...states: readonly AppState[]): Progress => states.reduce(progressed, noProgress(id, true))

const starting: AppState = {phase: 'starting', pid: 7}
const unborn: AppState = {phase: 'starting', pid: undefined}
const running = (ready: boolean): AppState => ({phase: 'running', pid: 7, ready})
const exited = (exit: Exit | undefined, asked = false): AppState => ({phase: 'exited', exit, asked})
const backoff = (last: Exit): AppState => ({phase: 'backoff', failures: 1, until: 0, last})

t.test('without dependencies an app is free', async t => {
  t.same(standingOf([], []), {kind: 'free'})
})

t.test('what frees an app, what lets it wait, and what lets it never start', async t => {
  const table: readonly (readonly [
    until: 'started' | 'ready' | 'completed',
    states: readonly AppState[],
    kind: string,
    why?: string
  ])[] = [
    ['started', [], 'waits', '"db" has started'],
    ['started', [starting], 'free'],
    ['started', [starting, exited(FAILED)], 'free'],
    [
      'started',
      [unborn, exited({kind: 'spawn-error', message: 'no such folder: /x'})],
      'never',
      '"db" starting, but "db" could not be started: no such folder: /x'
    ],
    ['started', [unborn, backoff(FAILED)], 'waits', '"db" has started'],
    ['started', [exited(undefined, true)], 'never', '"db" starting, but "db" was not started'],
    ['ready', [starting], 'waits', '"db" is ready'],
    ['ready', [starting, running(true)], 'free'],
    ['ready', [starting, running(true), running(false), exited(FAILED)], 'free'],
    ['ready', [starting, backoff(FAILED), starting], 'waits', '"db" is ready'],
    ['ready', [starting, exited(FAILED)], 'never', '"db" becoming ready, but "db" exited with code 3'],
    ['ready', [starting, exited(DONE)], 'never', '"db" becoming ready, but "db" exited with code 0'],
    ['ready', [starting, exited(DONE, true)], 'never', '"db" becoming ready, but "db" was stopped'],
    ['completed', [starting, running(true)], 'waits', '"db" has exited with code 0'],
    ['completed', [starting, running(true), exited(DONE)], 'free'],
    ['completed', [starting, running(true), exited(FAILED)], 'never', '"db" completing, but "db" exited with code 3'],
    [
      'completed',
      [starting, exited({kind: 'signal', signal: 'SIGKILL'})],
      'never',
      '"db" completing, but "db" was ended by SIGKILL'
    ],
    ['completed', [starting, backoff(FAILED)], 'waits', '"db" has exited with code 0'],
    ['completed', [starting, backoff(DONE)], 'free'],
    ['completed', [starting, backoff(DONE), starting, backoff(FAILED)], 'waits', '"db" has exited with code 0'],
    ['completed', [starting, backoff(FAILED), starting, exited(DONE)], 'free'],
    // a new process is under way, or was stopped: the latest one that has ended by itself counts
    ['completed', [starting, backoff(DONE), starting, running(true)], 'free'],
    ['completed', [starting, backoff(DONE), starting, exited(undefined, true)], 'free'],
    ['completed', [starting, exited(DONE, true)], 'never', '"db" completing, but "db" was stopped']
  ]
  for (const [until, states, kind, why] of table) {
    const expected = why === undefined ? {kind} : {kind, why}
    t.match(
      standingOf([{id: 'db', until}], [after('db', ...states)]),
      expected,
      `${until}: ${states.map(({phase}) => phase).join()}`
    )
  }
})

t.test('an app waits for all its dependencies, names all that are missing, never starts when one is lost', async t => {
  const dependencies = [
    {id: 'db', until: 'ready'},
    {id: 'migrate', until: 'completed'},
    {id: 'cache', until: 'started'}
  ] as const
  const cache = after('cache', starting)
  t.same(standingOf(dependencies, [after('db'), after('migrate'), cache]), {
    kind: 'waits',
    why: '"db" is ready and "migrate" has exited with code 0',
    ids: ['db', 'migrate']
  })
  t.match(standingOf(dependencies, [after('db'), after('migrate', starting, exited(FAILED)), cache]), {kind: 'never'})
  t.same(standingOf(dependencies, [after('db', running(true)), after('migrate', starting, exited(DONE)), cache]), {
    kind: 'free'
  })
})

t.test('where apps share an id, all of them are waited for', async t => {
  const dependencies = [{id: 'db', until: 'ready'}] as const
  t.match(standingOf(dependencies, [after('db', running(true)), after('db')]), {kind: 'waits', why: '"db" is ready'})
  t.same(standingOf(dependencies, [after('db', running(true)), after('db', running(true))]), {kind: 'free'})
})

t.test('a sidecar alone has started as soon as it is looked at', async t => {
  const sidecar = progressed(noProgress('ide', false), {phase: 'starting', pid: undefined})
  t.same(standingOf([{id: 'ide', until: 'started'}], [sidecar]), {kind: 'free'})
})
