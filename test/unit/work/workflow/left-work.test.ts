import {join} from 'node:path'
import t from 'tap'
import {answer, call, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'
import {keepInputs, takeActivities} from './large-inputs.ts'

const MANY = 1300

t.test('what an earlier run has left is taken up as workers take it, in order, each once', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  const ids = Array.from({length: MANY}, (_, index) => `o-${index}`)
  await Promise.all(ids.map(async id => workflows.start('shop', order(id))))
  await workflows.start('bank', order('of-bank'))
  close()

  const next = await openHouse(t, path)
  t.equal(next.workflows.lacking('shop'), 0, 'a worker may still connect')
  const ofBank = connected(next.workflows, 'bank')
  t.match(ofBank.seen(), [/^of-bank:/], 'it does not wait for those before it')
  await next.workflows.completeTurn('bank', answer('of-bank', [end()]))
  const worker = new TestWorker(100)
  next.workflows.connect('shop', worker)
  t.equal(worker.items.length, 100)
  // one that is not taken up yet gets something
  await next.workflows.tell('shop', `o-${MANY - 1}`, 'event', {eventRaised: {name: 'x', input: undefined}})
  const seen: string[] = []
  while (seen.length < MANY) {
    const items = worker.items.splice(0)
    seen.push(...items.map(({turn}) => turn?.instanceId ?? ''))
    const ended = items.map(async ({turn, token}) =>
      next.workflows.completeTurn('shop', answer(turn?.instanceId ?? '', [end()], token))
    )
    await Promise.all([...ended, new Promise(resolve => setImmediate(resolve))])
  }
  t.strictSame(seen.slice(0, 500), ids.slice(0, 500), 'in the order in which they came')
  t.strictSame(seen.toSorted(), ids.toSorted())
  await next.workflows.settled()
  t.equal(await next.workflows.quiet(1000), true)
  t.strictSame(worker.items, [])
  next.close()
})

t.test('activities that were in hand, too; one that is answered before it is taken up has its result', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const calls = Array.from({length: MANY}, (_, id) => call(id, 'a', 'bank'))
  await workflows.completeTurn('shop', answer('o-1', calls))
  close()

  const next = await openHouse(t, path)
  const worker = connected(next.workflows)
  // its worker has outlived the run
  await next.workflows.completeActivity('bank', done('o-1', MANY - 1))
  t.strictSame(next.said, [])
  t.match(worker.seen(), [/\| workflowStarted taskCompleted$/])
  const ofBank = connected(next.workflows, 'bank')
  while (ofBank.items.length < MANY - 1) await new Promise(resolve => setImmediate(resolve))
  await next.workflows.settled()
  const tasks = ofBank.items.map(({activity}) => activity?.taskId)
  t.strictSame(
    tasks.toSorted((a = 0, b = 0) => a - b),
    calls.slice(0, -1).map(({id}) => id)
  )
  next.close()
})

t.test('activities with large inputs are read as workers take them, each once', async t => takeActivities(t, 5))

t.test('an activity is answered before it is taken up, also if its workflow’s inbox has several portions', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const large = {value: JSON.stringify('x'.repeat(1_000_000))}
  const calls = Array.from({length: 9}, (_, id) => {
    const {scheduleTask, ...rest} = call(id, 'a')
    return {...rest, scheduleTask: {...scheduleTask, input: large}}
  })
  await workflows.completeTurn('shop', answer('o-1', calls as never))
  const raised = {eventRaised: {name: 'x', input: undefined}}
  await Promise.all(Array.from({length: MANY}, async () => workflows.tell('shop', 'o-1', 'event', raised)))
  close()

  const next = await openHouse(t, path)
  next.workflows.connect('shop', new TestWorker(1))
  await next.workflows.settled()
  await new Promise(setImmediate)
  await next.workflows.completeActivity('shop', done('o-1', 8))
  t.strictSame(next.said, [])
  next.close()
})

// that they are not in memory, and from 64 MiB on it is said, `test/long/workflows-inputs.test.ts` shows
t.test('inputs of workflows that no worker takes are in the file once, and come to a later one', async t =>
  keepInputs(t, 7, [])
)
