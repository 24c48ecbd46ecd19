import {test} from 'tap'
import {afterRun, nextStart, NO_FAILURES, type Failures} from '../../../../src/supervisor/process/restart-policy.ts'
import type {Exit} from '../../../../src/model/app-state.ts'

const success: Exit = {kind: 'code', code: 0}
const failures: readonly Exit[] = [
  {kind: 'code', code: 3},
  {kind: 'signal', signal: 'SIGSEGV'},
  {kind: 'spawn-error', message: 'no such folder'}
]
const once = afterRun(NO_FAILURES, 5000)

const afterLives = (...markers: readonly number[]): Failures => markers.reduce(afterRun, NO_FAILURES)

test('the policy "no" starts nothing again', async t => {
  for (const exit of [success, ...failures]) t.equal(nextStart('no', once, exit), 'no')
})

test('the policy "on-failure" starts again after everything but a success', async t => {
  t.equal(nextStart('on-failure', once, success), 'no')
  for (const exit of failures) t.equal(nextStart('on-failure', once, exit), 100)
})

test('the policy "always" starts again after a success, too', async t => {
  for (const exit of [success, ...failures]) t.equal(nextStart('always', once, exit), 100)
})

test('the pause doubles from 100 ms to 30 s', async t => {
  const pauses = Array.from({length: 12}, (_, markers) => nextStart('always', {inARow: markers + 1, short: 0}, success))
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
  t.type(nextStart('always', afterLives(...Array.from({length: 15}, () => 10)), success), 'number')
  const given = afterLives(...Array.from({length: 16}, () => 10))
  t.equal(nextStart('always', given, success), 'given up')
  t.equal(nextStart('on-failure', given, success), 'no', 'a success is what this policy waits for')
})

test('lives of a second are started again for ever', async t => {
  t.equal(nextStart('always', afterLives(...Array.from({length: 100}, () => 1000)), success), 30_000)
})
