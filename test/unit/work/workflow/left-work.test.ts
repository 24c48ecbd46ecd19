import {join} from 'node:path'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

const MANY = 1300

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What the process uses of memory, without garbage. */
const usedBytes = async (): Promise<number> => {
  for (let round = 0; round < 3; round++) {
    await new Promise(setImmediate)
    collect()
  }
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}

t.test('what an earlier run has left is taken up as workers take it, in order, each once', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  const ids = Array.from({length: MANY}, (_, index) => `o-${index}`)
  await Promise.all(ids.map(async id => workflows.start('shop', order(id))))
  await workflows.start('bank', order('of-bank'))
  close()

  const next = await openHouse(t, path)
  t.equal(next.workflows.lacking('shop'), 0, 'a worker may still connect')
  const ofBank = new TestWorker()
  next.workflows.connect('bank', ofBank)
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
  const worker = new TestWorker()
  next.workflows.connect('shop', worker)
  // its worker has outlived the run
  await next.workflows.completeActivity('bank', done('o-1', MANY - 1))
  t.strictSame(next.said, [])
  t.match(worker.seen(), [/\| workflowStarted taskCompleted$/])
  const ofBank = new TestWorker()
  next.workflows.connect('bank', ofBank)
  while (ofBank.items.length < MANY - 1) await new Promise(resolve => setImmediate(resolve))
  await next.workflows.settled()
  const tasks = ofBank.items.map(({activity}) => activity?.taskId)
  t.strictSame(
    tasks.toSorted((a = 0, b = 0) => a - b),
    calls.slice(0, -1).map(({id}) => id)
  )
  next.close()
})

t.test('activities with large inputs are read as workers take them, each once', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  const ids = Array.from({length: 40}, (_, id) => id)
  const large = {value: JSON.stringify('x'.repeat(1_000_000))}
  await workflows.start('shop', order())
  const calls = ids.map(task => {
    const {scheduleTask, ...rest} = call(task, 'a', 'bank')
    return {...rest, scheduleTask: {...scheduleTask, input: large}}
  })
  await workflows.completeTurn('shop', answer('o-1', calls as never))
  close()

  const before = await usedBytes()
  const next = await openHouse(t, path)
  const more = ((await usedBytes()) - before) / 1e6
  t.ok(more < 20, `${more.toFixed()} MB more in memory`)
  const worker = new TestWorker(3)
  next.workflows.connect('bank', worker)
  const seen: number[] = []
  while (seen.length < ids.length) {
    const items = worker.items.splice(0)
    seen.push(...items.map(({activity}) => activity?.taskId ?? -1))
    const ended = items.map(async ({activity, token}) =>
      next.workflows.completeActivity('bank', {
        ...done('o-1', activity?.taskId ?? -1),
        completionToken: token
      })
    )
    await Promise.all([...ended, new Promise(resolve => setImmediate(resolve))])
  }
  t.strictSame(seen, ids)
  await next.workflows.settled()
  t.equal(next.workflows.lacking('bank'), 0)
  t.strictSame(next.said, [])
  next.close()
})

t.test(
  'an activity is answered before it is taken up, also where its workflow has more in its inbox than one portion',
  async t => {
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
  }
)

const input = (n: number): string => JSON.stringify(`${n} `.padEnd(1_000_000, 'x'))

t.test('inputs of workflows that no worker takes are in the file once, and not in memory', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, file, close, said} = await openHouse(t, path)
  const ids = Array.from({length: 100}, (_, index) => `o-${index}`)
  await workflows.start('shop', {...order('first'), input: input(0)})
  const before = await usedBytes()
  for (const [n, id] of ids.entries()) await workflows.start('shop', {...order(id), input: input(n)})
  t.strictSame(said, ['shop: 68 workflows wait'], 'said once')
  await workflows.start('shop', {...order('later'), input: input(100), startAt: 3_600_000})
  const [later] = file.database.prepare('SELECT octet_length(data) AS bytes FROM wake_ups').all()
  t.ok(Number(later?.['bytes']) < 1000, 'nor is that of one with a start time there twice')
  const more = ((await usedBytes()) - before) / 1e6
  t.ok(more < 40, `${more.toFixed()} MB more in memory`)
  const [row] = file.database.prepare('SELECT sum(octet_length(event)) AS bytes FROM inbox').all()
  t.ok(Number(row?.['bytes']) < 100_000, `${String(row?.['bytes'])} bytes of the inbox: the inputs stand elsewhere`)
  await workflows.tell('shop', 'o-50', 'event', {eventRaised: {name: 'x', input: undefined}})
  await workflows.tell('shop', 'o-51', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  close()

  const next = await openHouse(t, path)
  const seen: string[] = []
  const worker = new TestWorker(3)
  const scheduled = next.workflows.find('shop', 'later')
  if (scheduled !== undefined) await next.workflows.skipTimer(scheduled, undefined)
  next.workflows.connect('shop', worker)
  const numbers = new Map([...ids, 'later'].map((id, n) => [id, n]))
  while (seen.length < 101) {
    const items = worker.items.splice(0)
    for (const {turn} of items) {
      const start = turn?.fresh.find(({executionStarted}) => executionStarted !== undefined)
      const expected = input(numbers.get(turn?.instanceId ?? '') ?? 0)
      t.ok(start?.executionStarted?.input?.value === expected, `${turn?.instanceId} has its input`)
      seen.push(turn?.instanceId ?? '')
    }
    const ended = items.map(async ({turn, token}) =>
      next.workflows.completeTurn('shop', answer(turn?.instanceId ?? '', [end()], token))
    )
    await Promise.all([...ended, new Promise(resolve => setImmediate(resolve))])
  }
  t.strictSame(seen, ['first', ...ids.filter(id => id !== 'o-51'), 'later'])
  await next.workflows.settled()
  t.equal(await next.workflows.quiet(1000), true)
  next.close()
})
