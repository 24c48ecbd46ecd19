import {test} from 'tap'
import {
  afterExit,
  afterRun,
  NO_FAILURES,
  type EndedProgram,
  type Failures
} from '../../../../src/supervisor/process/restart-policy.ts'
import type {Exit} from '../../../../src/model/app-state.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'

const success: Exit = {kind: 'code', code: 0}
const failures: readonly Exit[] = [
  {kind: 'code', code: 3},
  {kind: 'signal', signal: 'SIGSEGV'},
  {kind: 'spawn-error', message: 'no such folder'}
]
const once = afterRun(NO_FAILURES, 5000)
const ALONE: EndedProgram = {isCurrent: true, isWatched: false, untilFinished: false, maySleep: false}

const afterLives = (...markers: readonly number[]): Failures => markers.reduce(afterRun, NO_FAILURES)

/** The pause before the next process in ms, or what follows in its place. */
const next = (
  policy: AppPlan['restart'],
  stats: Failures,
  exit: Exit,
  program: Partial<EndedProgram> & {readonly hasFailedAfterChange?: boolean} = {}
): number | string => {
  const {hasFailedAfterChange = false, ...rest} = program
  const after = afterExit({policy, failures: stats, exit, hasFailedAfterChange}, {...ALONE, ...rest})
  return after.kind === 'starts' ? after.inMs : after.kind
}

test('each policy after a success and after failures', async t => {
  for (const [policy, afterSuccess, afterFailure] of [
    ['no', 'ends', 'ends'],
    ['on-failure', 'ends', 100],
    ['always', 100, 100]
  ] as const) {
    t.equal(next(policy, once, success), afterSuccess)
    for (const exit of failures) t.equal(next(policy, once, exit), afterFailure)
  }
})

test('the pause doubles from 100 ms to 30 s', async t => {
  const pauses = Array.from({length: 12}, (_, markers) => next('always', {inARow: markers + 1, short: 0}, success))
  t.same(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000])
})

test('ten seconds of life are a new beginning', async t => {
  t.equal(afterLives(5000, 5000, 5000).inARow, 3)
  t.equal(afterLives(5000, 5000, 9999).inARow, 3)
  t.equal(afterLives(5000, 5000, 10_000).inARow, 1)
})

test('only lives under one second in a row are counted as short', async t => {
  t.equal(afterLives(10, 999, 0).short, 3)
  t.equal(afterLives(10, 10, 1000).short, 0)
  t.equal(afterLives(10, 1000, 10).short, 1)
})

test('after 16 short lives in a row it is given up', async t => {
  t.type(next('always', afterLives(...Array.from({length: 15}, () => 10)), success), 'number')
  const given = afterLives(...Array.from({length: 16}, () => 10))
  t.equal(next('always', given, success), 'given up')
  t.equal(next('on-failure', given, success), 'ends', 'a success is what this policy waits for')
})

test('lives of a second are started again for ever', async t => {
  t.equal(next('always', afterLives(...Array.from({length: 100}, () => 1000)), success), 30_000)
})

test('the table of an app that is not restarted by its policy, or failed after a save', async t => {
  const [failure = success] = failures
  const given = afterLives(...Array.from({length: 16}, () => 10))
  for (const [policy, stats, exit, hasFailedAfterChange] of [
    ['no', once, failure, false],
    ['on-failure', once, success, false],
    ['always', given, failure, false],
    ['always', once, failure, true]
  ] as const) {
    const follows = (program: Partial<EndedProgram>): number | string =>
      next(policy, stats, exit, {...program, hasFailedAfterChange})
    const usual = hasFailedAfterChange ? 100 : stats === given ? 'given up' : 'ends'
    t.equal(follows({}), usual)
    t.equal(follows({isCurrent: false, isWatched: true, maySleep: true}), 'ends', 'another process has its place')
    t.equal(follows({isWatched: true}), 'waits')
    t.equal(follows({isWatched: true, untilFinished: true}), exit === success ? 'ends' : 'waits')
    t.equal(follows({isWatched: true, maySleep: true}), 'sleeps')
    t.equal(follows({maySleep: true}), hasFailedAfterChange ? 100 : 'sleeps')
  }
})
