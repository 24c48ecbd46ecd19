import t from 'tap'
import {longestGraceMs} from '../../../src/supervisor/run-watchdog.ts'
import type {Plan} from '../../../src/model/plan.ts'

const planOf = (...graces: readonly number[]): Plan =>
  ({apps: graces.map(timeoutMs => ({stop: {timeoutMs}}))}) as unknown as Plan

t.test('whatever is looked for by the run’s mark has the longest grace of its apps', async t => {
  t.equal(longestGraceMs(planOf(500, 7000, 300)), 7000)
  t.equal(longestGraceMs(planOf()), 0)
})
