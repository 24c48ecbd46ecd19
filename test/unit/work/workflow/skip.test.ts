import {join} from 'node:path'
import t from 'tap'
import {SetClock} from '../../../rig/clock.ts'
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
import {Jobs, type DeliverJob} from '../../../../src/work/job/jobs.ts'
import {msOf, timeOf} from '../../../../src/work/workflow/messages.ts'
import {timelineOf} from '../../../../src/work/workflow/timeline.ts'
import type {Workflows} from '../../../../src/work/workflow/workflows.ts'

const DAY_MS = 86_400_000
const NEVER = new AbortController().signal

/** A worker whose workflow sleeps for a day, as its own clock says, as often as it is told, and notes that clock. */
function sleeper(workflows: Workflows, times: number): {readonly clock: number[]; readonly leave: () => void} {
  const clock: number[] = []
  const worker = new TestWorker()
  const send = (item: Uint8Array): void => {
    worker.send(item)
    const turn = worker.items.at(-1)?.turn
    if (turn === undefined) return
    const all = [...turn.past, ...turn.fresh]
    const now = msOf(turn.fresh[0]?.timestamp ?? timeOf(0))
    clock.push(now)
    const slept = all.filter(event => event.timerFired !== undefined).length
    const action = slept < times ? {id: slept, createTimer: timer(timeOf(now + DAY_MS))} : end()
    setImmediate(() => void workflows.completeTurn('shop', answer(turn.instanceId, [action])))
  }
  return {clock, leave: workflows.connect('shop', {limit: Infinity, home: 'shop', send})}
}

t.test('a week in a minute: timers set on the way fire, too, in order; the code’s clock goes on', async t => {
  const path = join(t.testdir(), 'work.db')
  const house = await openHouse(t, path)
  const {workflows, clock} = house
  clock.pass(1000)
  const {clock: seen} = sleeper(workflows, 7)
  const instance = await workflows.start('shop', order())
  const {fired, others, isSettled} = await workflows.skip(3.5 * DAY_MS, NEVER)
  t.strictSame([fired.map(({afterMs}) => afterMs / DAY_MS), others, isSettled], [[1, 2, 3], 0, true])
  t.strictSame([...workflows.timers(instance).values()], [1000 + DAY_MS / 2], 'the next one is half a day away')
  t.strictSame(
    seen.map(at => (at - 1000) / DAY_MS),
    [0, 1, 2, 3]
  )
  house.close()
  const next = await openHouse(t, path, {clock})
  const {clock: later} = sleeper(next.workflows, 7)
  const again = next.workflows.find('shop', 'o-1') ?? instance
  clock.pass(DAY_MS / 2 - 1)
  await next.file.change(() => undefined)
  t.strictSame([...next.workflows.timers(again).values()], [1000 + DAY_MS / 2], 'the next run knows what was skipped')
  t.equal((await next.workflows.skip(DAY_MS * 30, NEVER)).fired.length, 4)
  t.match(next.workflows.find('shop', 'o-1'), {status: 1})
  t.strictSame(
    later.map(at => (at - 1000) / DAY_MS),
    [4, 5, 6, 7],
    'by the day'
  )
  const steps = timelineOf(next.workflows.events(again), 'shop')
  t.equal(steps.filter(({state}) => state === 'skipped').length, 7, 'the history tells it')
  next.close()
})

t.test('the next timer of one instance fires now, or the one that is named; the others keep their times', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  const timers = (id: number, days: number): object => ({id, createTimer: timer(timeOf(days * DAY_MS))})
  const one = await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [timers(1, 3), timers(2, 1), timers(3, 2)]))
  const other = await workflows.start('shop', order('o-2'))
  await workflows.completeTurn('shop', answer('o-2', [timers(1, 1)]))
  worker.items.length = 0
  await workflows.skipTimer(one, undefined)
  const fired = worker.items.at(-1)?.turn?.fresh.at(-1)
  t.match(fired?.timerFired, {timerId: 2, fireAt: timeOf(DAY_MS), isSkipped: true}, 'with the time that was planned')
  t.match(worker.items.at(-1)?.turn?.fresh[0]?.timestamp, timeOf(DAY_MS), 'which the code takes for now')
  await workflows.completeTurn('shop', answer('o-1', [timers(4, 2)]))
  await workflows.skipTimer(one, 1)
  t.match(worker.items.at(-1)?.turn?.fresh.at(-1), {timerFired: {timerId: 1}})
  await t.rejects(workflows.skipTimer(one, 1), {message: "workflow 'o-1' waits for no timer 1"})
  t.strictSame(
    [...workflows.timers(one)],
    [
      [3, 2 * DAY_MS],
      [4, DAY_MS]
    ],
    'one that was set since then is as far away as the code meant'
  )
  t.strictSame([...workflows.timers(other)], [[1, DAY_MS]])
  const later = await workflows.start('shop', order('later', DAY_MS))
  await workflows.skipTimer(later, undefined)
  t.match(worker.seen().at(-1), /^later: .*executionStarted$/, 'a start that is to come')
  await workflows.completeTurn('shop', answer('later', [end()]))
  await t.rejects(workflows.skipTimer(later, undefined), {message: "workflow 'later' waits for no timer"})
  clock.pass(DAY_MS)
  await new Promise(resolve => setImmediate(resolve))
  t.match(worker.seen(), [/^o-2: .*timerFired$/])
})

t.test('a timer that only says that an event is awaited without a limit is not the next one', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const instance = await workflows.start('shop', order())
  const awaited = {id: 1, createTimer: timer(timeOf(Date.UTC(9999, 11, 31)), 'approved')}
  await workflows.completeTurn('shop', answer('o-1', [awaited]))
  worker.items.length = 0
  await t.rejects(workflows.skipTimer(instance, undefined), {message: "workflow 'o-1' waits for no timer"})
  t.strictSame(worker.seen(), [])
  await workflows.skipTimer(instance, 1)
  t.match(worker.seen(), [/timerFired$/], 'unless it is named')
})

t.test('a skip waits for what it sets off, but not for ever', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  const first = workflows.skip(1000, NEVER)
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1', [{id: 2, createTimer: timer(timeOf(500))}]))
  while (worker.items.at(-1)?.turn?.fresh.at(-1)?.timerFired === undefined)
    await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(await first, {fired: [{afterMs: 500}], isSettled: true})
  await workflows.start('shop', order('o-2'))
  const second = workflows.skip(1000, NEVER)
  const isOver = second.then(() => true)
  while (!(await Promise.race([isOver, new Promise(resolve => setImmediate(resolve))]))) clock.pass(30_000)
  t.match(await second, {fired: [], isSettled: false})
})

t.test('a laptop that slept, a clock that is set back: timers fire in order, once; code’s clock goes on', async t => {
  const clock = new SetClock()
  const {workflows, close} = await openHouse(t, undefined, {clock})
  const worker = connected(workflows)
  const times: number[] = []
  const fired: number[] = []
  const hear = (): void => {
    for (const {turn} of worker.items.splice(0))
      for (const {timestamp, workflowStarted, timerFired} of turn?.fresh ?? []) {
        if (workflowStarted !== undefined && timestamp !== undefined) times.push(msOf(timestamp))
        if (timerFired !== undefined) fired.push(timerFired.timerId)
      }
  }
  const HOUR = 3_600_000
  await workflows.start('shop', order())
  const timers = [2, 1, 30].map((hours, id) => ({id, createTimer: timer(timeOf(hours * HOUR))}))
  hear()
  await workflows.completeTurn('shop', answer('o-1', timers))
  clock.set(24 * HOUR)
  clock.pass(10_000)
  await workflows.settled()
  hear()
  t.strictSame(fired, [1, 0], 'what fell due while it slept')
  await workflows.completeTurn('shop', answer('o-1'))
  clock.set(-12 * HOUR)
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'x', input: undefined}})
  hear()
  await workflows.completeTurn('shop', answer('o-1'))
  t.equal(times.length, 3)
  t.ok((times[2] ?? 0) >= (times[1] ?? 0), 'it is not earlier than before')
  clock.set(12 * HOUR)
  clock.pass(10_000)
  await workflows.settled()
  hear()
  t.strictSame(fired, [1, 0], 'none fires twice')
  clock.set(6 * HOUR)
  clock.pass(10_000)
  await workflows.settled()
  hear()
  t.strictSame(fired, [1, 0, 2])
  close()
})

/** Jobs of the same run, whose app gets them by `send`. */
const jobsOf = ({file, wakeUps, clock}: House, send: DeliverJob): Jobs =>
  new Jobs({file, wakeUps, clock, log: () => undefined}, send)

t.test('of two skips at once the second begins where the first has ended', async t => {
  const house = await openHouse(t)
  const come: string[] = []
  const jobs = jobsOf(house, async ({name}) => {
    come.push(name)
    return Promise.resolve({kind: 'done', answer: '200'})
  })
  for (const name of ['a', 'b', 'c']) await jobs.schedule('shop', {name, schedule: '@every 1m'}, false)
  await Promise.all([house.workflows.skip(DAY_MS, NEVER), house.workflows.skip(DAY_MS, NEVER)])
  t.equal(house.wakeUps.ahead, 2 * DAY_MS)
  t.equal(come.length, 3 * 2 * 101, 'of each series a hundred come, then the latest')
  jobs.close()
  house.close()
})

t.test('what a job sets off within a skip is waited for, too', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  let starts = 0
  const jobs = jobsOf(house, async () => {
    await workflows.start('shop', order(`o-${++starts}`))
    return {kind: 'done', answer: '200'}
  })
  const worker = new TestWorker()
  const send = async (item: Uint8Array): Promise<void> => {
    worker.send(item)
    const turn = worker.items.at(-1)?.turn
    if (turn === undefined) return
    for (let wait = 0; wait < 50; wait++) await new Promise(setImmediate)
    const now = msOf(turn.fresh[0]?.timestamp ?? timeOf(0))
    const action = turn.past.length === 0 ? {id: 1, createTimer: timer(timeOf(now + DAY_MS / 24))} : end()
    await workflows.completeTurn('shop', answer(turn.instanceId, [action]))
  }
  workflows.connect('shop', {limit: Infinity, home: 'shop', send: item => void send(item)})
  await jobs.schedule('shop', {name: 'daily', schedule: '@every 24h'}, false)
  const {fired, isSettled} = await workflows.skip(2 * DAY_MS, NEVER)
  t.strictSame([fired.map(({afterMs}) => (24 * afterMs) / DAY_MS), isSettled], [[24, 25, 48], true])
  jobs.close()
  house.close()
})

t.test('a skip does not wait as long again at each step for what has not answered', async t => {
  const {workflows, clock} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  for (let hour = 1; hour <= 5; hour++) await workflows.start('shop', order(`o-${hour}`, hour * 3_600_000))
  await workflows.start('shop', order('never'))
  const skipped = workflows.skip(DAY_MS, NEVER)
  const isOver = skipped.then(() => true)
  while (!(await Promise.race([isOver, new Promise(resolve => setImmediate(resolve))]))) clock.pass(100)
  t.match(await skipped, {fired: {length: 5}, isSettled: false})
  t.ok(clock.now() < 40_000, `it took ${clock.now()} ms`)
})

t.test('another skip does not wait for what one would wait for whose caller has left', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  connected(workflows)
  await workflows.start('shop', order('long'))
  const caller = new AbortController()
  const first = workflows.skip(DAY_MS, caller.signal)
  const second = workflows.skip(DAY_MS, NEVER)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  caller.abort()
  t.match(await Promise.race([first, passed(clock, 20_000)]), {fired: {length: 0}, isSettled: false})
  await workflows.completeTurn('shop', answer('long', [end()]))
  t.match(await second, {isSettled: true})
  t.equal(house.wakeUps.ahead, DAY_MS)
  house.close()
})

t.test('jobs and workers that do not answer cost a skip half a minute together', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  const jobs = jobsOf(house, async () => new Promise(() => undefined))
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order('never'))
  await jobs.schedule('shop', {name: 'never', dueTime: '1s'}, false)
  clock.pass(1000)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  const skipped = workflows.skip(DAY_MS, NEVER)
  t.match(await Promise.race([skipped, passed(clock, 40_000)]), {isSettled: false})
  jobs.close()
  house.close()
})

t.test('a skip waits for the workers of an app that its timers wake, or that reloads', async t => {
  for (const isReloaded of [false, true]) {
    const house = await openHouse(t)
    const {workflows, clock} = house
    clock.pass(1000)
    const {leave} = sleeper(workflows, 7)
    await workflows.start('shop', order())
    await workflows.quiet(1000)
    leave()
    house.needsWorker = (app, leftAt) => app === 'shop' && (leftAt > 0 || !isReloaded)
    const skipped = workflows.skip(3 * DAY_MS, NEVER)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    sleeper(workflows, 7)
    t.match(await skipped, {fired: {length: 3}, isSettled: true})
    house.close()
  }
})

/** Lets so many milliseconds pass. */
async function passed(clock: House['clock'], ms: number): Promise<string> {
  for (let at = 0; at < ms; at += 1000) {
    clock.pass(1000)
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
  }
  return `it takes more than ${ms} ms`
}

t.test('a skip brings each tick of a job whose app is about to have a process, not the latest one alone', async t => {
  const house = await openHouse(t)
  let isUp = false
  const come: (number | undefined)[] = []
  const jobs = jobsOf(house, async ({planned}) => {
    if (!isUp) return Promise.resolve({kind: 'undeliverable', answer: 'it starts', isExpected: true})
    come.push(planned)
    return Promise.resolve({kind: 'done', answer: '200'})
  })
  await jobs.schedule('shop', {name: 'daily', schedule: '@every 24h'}, false)
  const skipped = house.workflows.skip(3 * DAY_MS, NEVER)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.equal(house.wakeUps.ahead, DAY_MS)
  isUp = true
  jobs.appReady('shop')
  t.match(await skipped, {fired: {length: 3}, isSettled: true})
  t.strictSame(come, [DAY_MS, 2 * DAY_MS, 3 * DAY_MS])
  jobs.close()
  house.close()
})

t.test('a skip does not wait to its end for a worker that will not come any more', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  await workflows.start('shop', order())
  house.needsWorker = () => clock.now() < 3000
  const skipped = workflows.skip(DAY_MS, NEVER)
  t.match(await Promise.race([skipped, passed(clock, 10_000)]), {fired: {length: 0}, isSettled: true})
  house.close()
})

t.test('a detached workflow starts as long after a skip as its creator, whose clock goes on, has said', async t => {
  const {workflows, clock, close} = await openHouse(t)
  const worker = connected(workflows)
  const parent = await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 0, createTimer: timer(timeOf(DAY_MS))}]))
  await workflows.skipTimer(parent, undefined)
  const now = msOf(worker.items.at(-1)?.turn?.fresh[0]?.timestamp ?? timeOf(0))
  t.equal(now, DAY_MS)
  const createDetached = {
    instanceId: 'later',
    name: 'pay',
    version: undefined,
    input: undefined,
    scheduledStart: timeOf(now + 1000),
    parentTraceContext: undefined
  }
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createDetached}, end()]))
  worker.items.length = 0
  clock.pass(1000)
  for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
  t.match(worker.seen(), [/^later: .*executionStarted$/])
  close()
})

t.test('the timer of a rerun is as far away as its code meant, also where time was skipped before it', async t => {
  const {workflows, clock, close} = await openHouse(t)
  connected(workflows)
  const source = await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 0, createTimer: timer(timeOf(30 * DAY_MS))}]))
  await workflows.skipTimer(source, undefined)
  const inAnHour = timeOf(30 * DAY_MS + 3_600_000)
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createTimer: timer(inAnHour)}]))
  t.strictSame([...workflows.timers(source)], [[1, 3_600_000]])
  await workflows.skipTimer(source, undefined)
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  clock.pass(1000)
  const again = {id: 'o-1', eventId: 1, newId: 'o-2', input: undefined, newChildId: undefined}
  t.strictSame([...workflows.timers(await workflows.rerun('shop', again))], [[1, 3_601_000]])
  close()
})

t.test('a start that a skip brings nearer counts as one without delay', async t => {
  const {workflows, counted, close} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const instance = await workflows.start('shop', order('o-1', DAY_MS))
  await workflows.skipTimer(instance, undefined)
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(
    counted.filter(({type}) => type === 'begun'),
    [{elapsedMs: 0}]
  )
  close()
})
