import t from 'tap'
import {
  answer,
  call,
  connected,
  done,
  end,
  type House,
  openHouse,
  order,
  TestWorker,
  timer
} from '../../../rig/workflow-house.ts'

const tokensOf = (worker: TestWorker): readonly string[] => worker.items.splice(0).map(({token}) => token)

/** Its first turn has asked for the activity 0, which the worker has; its token. */
async function withActivity({workflows}: House, worker: TestWorker, id = 'o-1'): Promise<string> {
  await workflows.start('shop', order(id))
  const [turn = ''] = tokensOf(worker)
  await workflows.completeTurn('shop', answer(id, [call(0, 'slow')], turn))
  const [token = ''] = tokensOf(worker)
  return token
}

const open = async (t: Parameters<typeof openHouse>[0]): Promise<{house: House; worker: TestWorker}> => {
  const house = await openHouse(t)
  const worker = connected(house.workflows)
  return {house, worker}
}

t.test('continued as new, its next activity of that number is answered while the first one still runs', async t => {
  const {house, worker} = await open(t)
  const {workflows, clock} = house
  await workflows.start('shop', order())
  const [first = ''] = tokensOf(worker)
  const wait = {id: 1, createTimer: timer({seconds: 1n, nanos: 0})}
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'slow'), wait], first))
  const [slow = ''] = tokensOf(worker)
  clock.pass(1000)
  await workflows.settled()
  const [second = ''] = tokensOf(worker)
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')], second))
  const [third = ''] = tokensOf(worker)
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'quick')], third))
  t.equal(worker.items[0]?.activity?.name, 'quick', 'it does not wait for the other one')
  const [quick = ''] = tokensOf(worker)
  await workflows.completeActivity('shop', done('o-1', 0, quick))
  t.match(worker.seen(), [/taskCompleted$/])
  await workflows.completeActivity('shop', done('o-1', 0, slow))
  t.strictSame(worker.seen(), [], 'the late answer counts for nothing')
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.equal(workflows.find('shop', 'o-1')?.status, 1)
})

for (const between of [false, true])
  t.test(`started again while an earlier activity runs${between ? ', another one between' : ''}`, async t => {
    const {house, worker} = await open(t)
    const {workflows} = house
    const old = await withActivity(house, worker)
    await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
    await workflows.completeTurn('shop', answer('o-1', [end(5)], tokensOf(worker)[0]))
    await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: false})
    if (between) {
      await workflows.start('shop', order('between'))
      await workflows.completeTurn('shop', answer('between', [end()], tokensOf(worker)[0]))
    }
    const fresh = await withActivity(house, worker)
    t.not(fresh, '')
    await workflows.completeActivity('shop', done('o-1', 0, fresh))
    t.match(worker.seen(), [/taskCompleted$/])
    await workflows.completeActivity('shop', done('o-1', 0, old))
    t.strictSame(worker.seen(), [])
  })

t.test('a worker that sends no tokens has one after the other; what it leaves behind holds up nobody', async t => {
  const {workflows} = await openHouse(t)
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  const start = async (): Promise<void> => {
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [call(0, 'slow')]))
    worker.items.length = 0
  }
  await start()
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  await workflows.completeTurn('shop', answer('o-1', [end(5)]))
  await workflows.start('shop', order('between'))
  await workflows.completeTurn('shop', answer('between', [end()]))
  worker.items.length = 0
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'fresh')]))
  t.match(worker.seen(), [/^o-1:/], 'the fresh one waits for the answer to the earlier one')
  leave()
  const next = connected(workflows)
  t.strictSame(next.seen(), ['fresh 0'])
})

t.test('the token of another app, of another activity, or of none: ignored, and said', async t => {
  const {house, worker} = await open(t)
  const {workflows, said} = house
  const token = await withActivity(house, worker)
  const bank = connected(workflows, 'bank')
  await workflows.start('bank', order())
  await workflows.completeTurn('bank', answer('o-1', [call(0, 'slow')], tokensOf(bank)[0]))
  const [theirs = ''] = tokensOf(bank)
  const other = await withActivity(house, worker, 'o-2')
  for (const wrong of [theirs, other, 'no token of ours', 'x'.repeat(1000)])
    await workflows.completeActivity('shop', done('o-1', 0, wrong))
  t.strictSame(worker.seen(), [])
  t.strictSame(
    said,
    Array.from(
      {length: 4},
      () => "shop: an answer to the activity 0 of workflow 'o-1' is ignored: it is one to an earlier dispatch"
    )
  )
  await workflows.completeActivity('shop', done('o-1', 0, token))
  t.match(worker.seen(), [/taskCompleted$/])
})

t.test('an answer after the stream of its worker has broken counts until another worker has it', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  const [first, second] = [await withActivity(house, worker), await withActivity(house, worker, 'o-2')]
  leave()
  await workflows.completeActivity('shop', done('o-1', 0, first))
  const next = connected(workflows)
  t.match(next.seen(), ['slow 0', /^o-1: .*taskCompleted$/])
  await workflows.completeActivity('shop', done('o-2', 0, second))
  t.strictSame(next.seen(), [])
})

t.test('a late answer with a token says nothing of the workers that are there now', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  const token = await withActivity(house, worker, 'o-2')
  leave()
  const next = connected(workflows)
  await workflows.start('shop', order())
  t.match(next.seen(), ['slow 0', /^o-1:/])
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: true})
  await workflows.start('shop', order())
  await workflows.completeActivity('shop', done('o-2', 0, token))
  t.strictSame(next.seen(), [], 'the fresh one waits for the answer to the earlier one')
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(next.seen(), [/^o-1:/])
})

t.test('an activity whose answer is being written is given to no other worker', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'slow')]))
  const answered = workflows.completeActivity('shop', done('o-1', 0))
  leave()
  const next = connected(workflows)
  await answered
  t.strictSame(next.seen(), ['o-1: workflowStarted executionStarted taskScheduled | workflowStarted taskCompleted'])
})

t.test('what a worker gets while the first answer cannot be written is answered before the next round', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'slow')]))
  file.database.exec('PRAGMA query_only = 1')
  const answered = workflows.completeActivity('shop', done('o-1', 0))
  await file.settled()
  leave()
  const next = connected(workflows)
  t.strictSame(next.seen(), ['slow 0'])
  file.database.exec('PRAGMA query_only = 0')
  clock.pass(1000)
  await answered
  t.match(next.seen(), [/taskCompleted$/])
  await workflows.completeTurn('shop', answer('o-1', [end(2, '2')]))
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'quick')]))
  t.match(next.seen(), [/executionStarted$/], 'it waits for the answer to the earlier one')
  await workflows.completeActivity('shop', done('o-1', 0))
  t.strictSame(next.seen(), ['quick 0'])
  await workflows.completeActivity('shop', done('o-1', 0))
  t.match(next.seen(), [/taskCompleted$/])
})

t.test('so is a turn of a workflow that is removed meanwhile', async t => {
  const {workflows, file, clock} = await openHouse(t)
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  file.database.exec('PRAGMA query_only = 1')
  const answered = workflows.completeTurn('shop', answer('o-1', [call(0, 'slow')]))
  await file.settled()
  leave()
  const next = connected(workflows)
  t.match(next.seen(), [/executionStarted$/])
  file.database.exec('PRAGMA query_only = 0')
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: true})
  clock.pass(1000)
  await answered
  await workflows.start('shop', order())
  t.strictSame(next.seen(), [], 'the next one of its ID waits for the answer to the earlier one')
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'slow')]))
  t.match(next.seen(), [/executionStarted$/])
})
