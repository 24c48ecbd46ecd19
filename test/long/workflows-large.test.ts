/** Workflows of thousands of steps: nothing is read, or looked through, once for each of them. */
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Workflows} from '../../src/work/workflow/workflows.ts'
import {eventOf, joinEvents, ownEvent, readEvent, splitEvents, type Event} from '../../src/work/workflow/messages.ts'
import {rerunOf} from '../../src/work/workflow/rerun.ts'
import {timelineOf} from '../../src/work/workflow/timeline.ts'
import {answer, call, connected, done, type House, openHouse, order, TestWorker} from '../rig/workflow-house.ts'

/** The seconds of CPU that something takes. */
async function cpuOf(work: () => unknown): Promise<number> {
  const from = process.cpuUsage()
  await work()
  const {user, system} = process.cpuUsage(from)
  return (user + system) / 1e6
}

/** A workflow that waits for so many activities; `limit`: of those that are in hand at a time. */
async function fanOut(house: House, count: number, limit = Infinity): Promise<TestWorker> {
  const {workflows, settings} = house
  house.settings = {...settings, activities: {all: limit, byName: new Map()}}
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const token = worker.items.shift()?.token
  const calls = Array.from({length: count}, (_, id) => call(id, 'charge'))
  await workflows.completeTurn('shop', answer('o-1', calls, token))
  return worker
}

async function raise(workflows: Workflows, count: number): Promise<void> {
  const tell = async (): Promise<unknown> =>
    workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'more', input: undefined}})
  for (let from = 0; from < count; from += 1000)
    await Promise.all(Array.from({length: Math.min(1000, count - from)}, tell))
}

t.test('a turn with the results of 3,000 activities, whose changes are listened to', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  const what: string[] = []
  workflows.onChanged(instance =>
    what.push(...workflows.latestChanges(instance).map(each => `${each.what} ${each.step}`))
  )
  const worker = await fanOut(house, 3000)
  for (const {activity, token} of worker.items.splice(0))
    await workflows.completeActivity('shop', done('o-1', activity?.taskId ?? -1, token))
  const seconds = await cpuOf(async () => {
    for (const {token} of worker.items.splice(0)) await workflows.completeTurn('shop', answer('o-1', [], token))
    for (const {token} of worker.items.splice(0)) await workflows.completeTurn('shop', answer('o-1', [], token))
  })
  t.equal(what.filter(each => each === 'done charge').length, 3000)
  t.ok(seconds < 5, `${seconds} s of CPU: it was twenty when each result read the turn that had asked for it`)
  house.close()
})

/** The seconds of CPU of a thousand answers while ten of so many activities may be in hand. */
async function cpuOfAnswers(t: Test, waiting: number): Promise<number> {
  const house = await openHouse(t)
  const worker = await fanOut(house, waiting, 10)
  let answered = 0
  const seconds = await cpuOf(async () => {
    for (let item = worker.items.shift(); item !== undefined && answered < 1000; item = worker.items.shift()) {
      if (item.activity === undefined) continue // the turn stays with its worker
      await house.workflows.completeActivity('shop', done('o-1', item.activity.taskId, item.token))
      answered++
    }
  })
  t.equal(answered, 1000)
  house.close()
  return seconds
}

t.test('of 20,000 activities ten may be in hand: an answer looks at none that waits', async t => {
  await cpuOfAnswers(t, 1010) // compiles the code
  const least = async (count: number): Promise<number> =>
    Math.min(await cpuOfAnswers(t, count), await cpuOfAnswers(t, count), await cpuOfAnswers(t, count)) // memory is freed amid some
  const few = await least(1010)
  const many = await least(20_000)
  t.ok(many < 4 * few, `${many} s of CPU with 20,000 that wait, ${few} s with ten`)
})

const scheduled = (id: number): Uint8Array => {
  const none = {version: undefined, input: undefined, parentTraceContext: undefined, rerunOf: undefined}
  return ownEvent(id, id, 'shop', {taskScheduled: {name: 'a', ...none, taskExecutionId: '', scope: undefined}})
}

const at = (n: number, event: Event): ReturnType<typeof readEvent> => readEvent(eventOf(n, event))

const result = (taskScheduledId: number): Uint8Array =>
  eventOf(1, {taskCompleted: {taskScheduledId, result: undefined, taskExecutionId: ''}})

t.test('a turn that 130,000 events have come for, and 4,000 more', async t => {
  const path = join(t.testdir(), 'work.db')
  const {workflows, file, close} = await openHouse(t, path)
  await workflows.start('shop', order())
  await raise(workflows, 1)
  file.database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 129999)
    INSERT INTO inbox (instance, kind, name, event) SELECT instance, kind, name, event FROM numbers, inbox WHERE kind = 'event'`)
  close()
  const next = await openHouse(t, path)
  const seconds = await cpuOf(async () => raise(next.workflows, 4000))
  t.ok(seconds < 3, `${seconds} s of CPU: it was more than five, with a look at all that has come with each of them`)
  const worker = connected(next.workflows)
  const [item] = worker.items.splice(0)
  t.equal(item?.turn?.fresh.length, 134_002)
  await next.workflows.completeTurn('shop', answer('o-1', [], item?.token))
  await raise(next.workflows, 1)
  t.equal(worker.items[0]?.turn?.fresh.length, 2)
  next.close()
})

t.test('the steps of a history of 100,000 events, and a rerun of it', async t => {
  const count = 50_000
  const events = Array.from({length: count}, (_, n) => [
    at(n, {eventRaised: {name: `more ${n}`, input: undefined}}),
    at(n, n % 2 === 0 ? {executionSuspended: {input: undefined}} : {executionResumed: {input: undefined}})
  ]).flat()
  let seconds = await cpuOf(() => t.equal(timelineOf(events, 'shop').length, count + count / 2))
  t.ok(seconds < 3, `${seconds} s of CPU for the steps`)
  const tasks = Array.from({length: count}, (_, n) => n)
  const history = [tasks.map(scheduled), tasks.toReversed().map(result), [scheduled(count)]].map(joinEvents)
  const request = {id: 'o-1', eventId: count, newId: 'o-2', input: undefined, newChildId: undefined}
  seconds = await cpuOf(() => {
    const rerun = rerunOf('shop', history, request, 1)
    t.strictSame(
      rerun.activities.map(({task}) => task),
      [count]
    )
    t.equal(rerun.turns[0]?.length, splitEvents(history[0] ?? new Uint8Array(0)).length)
  })
  t.ok(seconds < 3, `${seconds} s of CPU for the rerun`)
})
