import t from 'tap'
import {logFileName, logStart} from '../../../../src/observe/logging/log-file.ts'

t.test("a log file has Dapr's name, in local time", async t => {
  const startedAt = new Date(2026, 0, 2, 3, 4, 5, 678)
  t.equal(logFileName({id: 'order-processor', kind: 'app', startedAt}), 'order-processor_app_20260102030405.log')
  t.equal(logFileName({id: 'shop', kind: 'daprd', startedAt}), 'shop_daprd_20260102030405.log')
  t.equal(
    logFileName({id: 'shop', kind: 'app', startedAt: new Date(2026, 11, 31, 23, 59, 59)}),
    'shop_app_20261231235959.log'
  )
})

t.test('the name tells when its app was started', async t => {
  const startedAt = new Date(2026, 11, 31, 23, 59, 59)
  t.equal(logStart(logFileName({id: 'a_20260102030405', kind: 'app', startedAt})), startedAt.getTime())
})

t.test('an id cannot lead out of the log folder', async t => {
  const startedAt = new Date(2026, 0, 2, 3, 4, 5)
  t.equal(logFileName({id: '../../x', kind: 'app', startedAt}), '.._.._x_app_20260102030405.log')
})
