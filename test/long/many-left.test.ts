import {join} from 'node:path'
import t from 'tap'
import {openHouse, order, TestWorker} from '../rig/workflow-house.ts'

t.test('a file with 100,000 that wait opens at once', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, file, close} = await openHouse(t, path)
  await workflows.start('shop', order('first'))
  file.database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
    INSERT INTO instances SELECT n, app, 'o-' || n, execution, name, version, status, created, started, updated, input, output,
      customStatus, failure, parentApp, parentId, parentExecution, parentTask, turns, rounds, stall, trace, received
      FROM numbers, instances WHERE key = 1;
    INSERT INTO inbox (instance, kind, name, event)
      SELECT key, kind, inbox.name, event FROM instances, inbox WHERE key > 1 AND inbox.instance = 1;`)
  close()
  const from = process.cpuUsage()
  const next = await openHouse(t, path)
  const {user} = process.cpuUsage(from)
  t.ok(user < 2_000_000, `${user / 1000} ms of CPU: all of it would take ten times as long`)
  const worker = new TestWorker(100)
  next.workflows.connect('shop', worker)
  t.equal(worker.items.length, 100)
  await next.workflows.settled()
  next.close()
})
