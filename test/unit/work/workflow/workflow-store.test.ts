import {DatabaseSync} from 'node:sqlite'
import t from 'tap'
import {STEPS} from '../../../../src/work/tables.ts'
import {WorkflowStore} from '../../../../src/work/workflow/workflow-store.ts'

/** What goes through all rows of a table that grows with each workflow; what waits, and is not over, is another matter. */
const WHOLE_TABLE = /^SCAN (instances(?! USING INDEX active_instances)|turns|wake_ups)/

t.test('no statement of a running workflow goes through all that are finished', async t => {
  const database = new DatabaseSync(':memory:')
  database.exec(STEPS.join(''))
  const seen: string[] = []
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
    t.notMatch(
      plan.map(({detail}) => String(detail)).find(detail => WHOLE_TABLE.test(detail)),
      /./,
      sql
    )
    seen.push(sql)
    return database.prepare(sql)
  }
  const store = new WorkflowStore({prepare} as unknown as DatabaseSync)
  const shared = {app: 'shop', id: 'o-1', execution: 'e', name: 'order', created: 1, input: '1'}
  const instance = store.insert({...shared, parent: undefined, trace: undefined, received: undefined})
  const {key} = instance
  store.update(instance)
  store.addTurn(instance, [])
  store.post(key, {kind: 'start', name: '', event: new Uint8Array(0)})
  const request = new Uint8Array(0)
  store.addActivity({instance: key, task: 1, app: 'bank', taskExecution: '', request})
  t.match(store.activity('bank', 'o-1', 1), {instance: key, task: 1, app: 'bank'}, 'an activity of another app')
  t.equal(store.activity('shop', 'o-1', 1), undefined)
  t.match(store.waiting(), [
    {app: 'shop', count: 1},
    {app: 'bank', count: 1}
  ])
  t.match(store.waitingEntries('shop', 0, 10), [{instance: key}])
  t.match(store.waitingActivities('bank', {instance: 0, task: 0}, 10), [{task: 1, bytes: 0}])
  t.match(store.activityAt({instance: key, task: 1}), {app: 'bank', request})
  t.match(store.active(0), [{app: 'shop', count: 1}])
  store.find('shop', 'o-1')
  store.history(key)
  const inbox = store.inbox(key)
  store.children(instance)
  store.list('shop', 0, 10)
  store.endActivity({instance: key, task: 1, app: 'bank', taskExecution: '', request})
  store.take(inbox)
  store.remove(key)
  t.ok(seen.length > 15)
  database.close()
})
