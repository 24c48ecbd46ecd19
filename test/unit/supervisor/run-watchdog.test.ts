import t from 'tap'
import {longestGraceMs} from '../../../src/supervisor/run-watchdog.ts'
import type {AppPlan} from '../../../src/model/plan.ts'

const appsWith = (...graces: readonly number[]): readonly Pick<AppPlan, 'stop'>[] =>
  graces.map(timeoutMs => ({stop: {timeoutMs, signal: 'SIGTERM', first: 'leader', scope: 'all'}}))

t.test('whatever is looked for by the run’s mark has the longest grace of its apps', async t => {
  t.equal(longestGraceMs(appsWith(500, 7000, 300)), 7000)
  t.equal(longestGraceMs(appsWith()), 0)
})
