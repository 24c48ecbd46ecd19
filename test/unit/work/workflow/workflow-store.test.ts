import {DatabaseSync} from 'node:sqlite'
import t from 'tap'
import {STEPS} from '../../../../src/work/tables.ts'
import {NO_INSTANCE, WorkflowStore} from '../../../../src/work/workflow/workflow-store.ts'

t.test('a detached child has a number that none had before', t => {
  const database = new DatabaseSync(':memory:')
  const step = STEPS.findIndex(each => each.includes('CREATE TABLE detached'))
  database.exec(STEPS.slice(0, step).join(''))
  const shared = {instance: NO_INSTANCE, app: 'bank', taskExecution: '', request: new Uint8Array(0), isChild: 1}
  database.exec("INSERT INTO activities VALUES (0, 7, 'bank', '', x'', 1)")
  database.exec(STEPS.slice(step).join(''))
  const store = new WorkflowStore(database)
  const add = (): number => {
    const task = store.nextDetached()
    store.addActivity({...shared, task})
    return task
  }
  t.equal(add(), 8, 'a file of an earlier version has some')
  t.equal(add(), 9)
  t.ok(store.endActivity({...shared, task: 9}))
  t.equal(add(), 10)
  database.close()
  t.end()
})

t.test('requests of other runs that an earlier version knew by an execution are known', t => {
  const database = new DatabaseSync(':memory:')
  const step = STEPS.findIndex(each => each.includes('CREATE TABLE begun'))
  database.exec(STEPS.slice(0, step).join(''))
  const [hash, other] = ['a'.repeat(64), '3b241101-e2bb-4255-8caf-4136c566a962']
  for (const execution of [hash, other])
    database.exec(
      `INSERT INTO instances (app, id, execution, created) VALUES ('bank', '${execution}', '${execution}', 1)`
    )
  database.exec(STEPS.slice(step).join(''))
  const store = new WorkflowStore(database)
  t.ok(store.hasBegun(hash))
  t.notOk(store.hasBegun(other))
  database.close()
  t.end()
})

/** What goes through all rows of a table that grows with each workflow; what waits, and is not over, is another matter. */
const WHOLE_TABLE = /^SCAN (instances(?! USING INDEX active_instances)|turns|wake_ups)/

t.test('no statement of a running workflow goes through all that are finished', t => {
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
  store.addActivity({instance: key, task: 1, app: 'bank', taskExecution: '', request, isChild: 0})
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
  store.farChildren(key)
  store.list('shop', 0, 10)
  store.endActivity({instance: key, task: 1, app: 'bank', taskExecution: '', request, isChild: 0})
  store.take(inbox)
  store.remove(key)
  t.ok(seen.length > 15)
  database.close()
  t.end()
})
