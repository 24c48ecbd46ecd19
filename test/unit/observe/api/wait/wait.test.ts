import t from 'tap'
import {readCondition} from '../../../../../src/observe/api/wait/condition.ts'
import type {WaitContext, WaitedApp} from '../../../../../src/observe/api/wait/wait-context.ts'
import {waitFor} from '../../../../../src/observe/api/wait/wait.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'

t.test('a condition that is wrong only for an app of the run leaves none of the others behind', async t => {
  let reading = 0
  const log = new RunLog()
  const tap = log.tap.bind(log)
  log.tap = take => {
    reading++
    const off = tap(take)
    return () => {
      reading--
      off()
    }
  }
  const app: Partial<WaitedApp> = {id: 'shop', name: 'shop'}
  const context: Partial<WaitContext> = {
    apps: () => [app as WaitedApp],
    runLog: log,
    onEvent: () => () => undefined,
    ended: new AbortController().signal,
    events: async () => ({mark: () => 1, timeOf: () => undefined})
  }
  const conditions = ['log:shop:a+', 'log:shop:?x'].map(readCondition)
  await t.rejects(waitFor(context as WaitContext, {conditions, timeoutMs: 1000}), /not a JavaScript regular expression/)
  t.equal(reading, 0)
})
