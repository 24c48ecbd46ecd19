import {join} from 'node:path'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import type {Test} from 'tap'
import {answer, call, childOf, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

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

/** Where a limit is given the process uses less than that many megabytes more than at first. */
async function memory(t: Test, limitMb: number | undefined): Promise<() => Promise<void>> {
  if (limitMb === undefined) return async () => undefined
  const before = await usedBytes()
  return async () => {
    const more = ((await usedBytes()) - before) / 1e6
    t.ok(more < limitMb, `${more.toFixed()} MB more in memory`)
  }
}

/** Activities with inputs of a megabyte are read as workers take them, each once. */
export async function takeActivities(t: Test, count: number, limitMb?: number): Promise<void> {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  const ids = Array.from({length: count}, (_, id) => id)
  const large = {value: JSON.stringify('x'.repeat(1_000_000))}
  await workflows.start('shop', order())
  const calls = ids.map(task => {
    const {scheduleTask, ...rest} = call(task, 'a', 'bank')
    return {...rest, scheduleTask: {...scheduleTask, input: large}}
  })
  await workflows.completeTurn('shop', answer('o-1', calls as never))
  close()

  const isSmall = await memory(t, limitMb)
  const next = await openHouse(t, path)
  await isSmall()
  const worker = new TestWorker(3)
  next.workflows.connect('bank', worker)
  const seen: number[] = []
  while (seen.length < ids.length) {
    const items = worker.items.splice(0)
    seen.push(...items.map(({activity}) => activity?.taskId ?? -1))
    const ended = items.map(async ({activity, token}) =>
      next.workflows.completeActivity('bank', {...done('o-1', activity?.taskId ?? -1), completionToken: token})
    )
    await Promise.all([...ended, new Promise(resolve => setImmediate(resolve))])
  }
  t.strictSame(seen, ids)
  await next.workflows.settled()
  t.equal(next.workflows.lacking('bank'), 0)
  t.strictSame(next.said, [])
  next.close()
}

const input = (n: number): string => JSON.stringify(`${n} `.padEnd(1_000_000, 'x'))

/** Inputs of a megabyte of workflows that no worker takes are in the file once, and not in memory. */
export async function keepInputs(t: Test, count: number, toldOf: readonly string[], limitMb?: number): Promise<void> {
  const path = join(t.testdir(), 'work.db')
  const {workflows, file, close, said} = await openHouse(t, path)
  const ids = Array.from({length: count}, (_, index) => `o-${index}`)
  await workflows.start('shop', {...order('first'), input: input(0)})
  const isSmall = await memory(t, limitMb)
  for (const [n, id] of ids.entries()) await workflows.start('shop', {...order(id), input: input(n)})
  t.strictSame(said, toldOf, 'said once')
  await workflows.start('shop', {...order('later'), input: input(count), startAt: 3_600_000})
  const [later] = file.database.prepare('SELECT octet_length(data) AS bytes FROM wake_ups').all()
  t.ok(Number(later?.['bytes']) < 1000, 'nor is that of one with a start time there twice')
  await isSmall()
  const [row] = file.database.prepare('SELECT sum(octet_length(event)) AS bytes FROM inbox').all()
  t.ok(
    Number(row?.['bytes']) < 1000 * count,
    `${String(row?.['bytes'])} bytes of the inbox: the inputs stand elsewhere`
  )
  await workflows.tell('shop', 'o-5', 'event', {eventRaised: {name: 'x', input: undefined}})
  await workflows.tell('shop', 'o-6', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  close()

  const next = await openHouse(t, path)
  const seen: string[] = []
  const worker = new TestWorker(3)
  const scheduled = next.workflows.find('shop', 'later')
  if (scheduled !== undefined) await next.workflows.skipTimer(scheduled, undefined)
  next.workflows.connect('shop', worker)
  const numbers = new Map([...ids, 'later'].map((id, n) => [id, n]))
  while (seen.length < count + 1) {
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
  t.strictSame(seen, ['first', ...ids.filter(id => id !== 'o-6'), 'later'])
  await next.workflows.settled()
  t.equal(await next.workflows.quiet(1000), true)
  next.close()
}

/** One that is terminated while it stalled stays so, however much its children have. */
export async function endStalled(t: Test, count: number): Promise<void> {
  const {workflows, file} = await openHouse(t)
  let sent = 0
  const connect = (): (() => void) =>
    workflows.connect('shop', {limit: Infinity, home: 'shop', send: () => void sent++})
  const leave = connect()
  await workflows.start('shop', order())
  leave()
  // one that takes nothing else
  const leaveOne = workflows.connect('shop', {limit: 1, home: 'shop', send: () => undefined})
  const input = {value: 'x'.repeat(400_000)}
  const children = Array.from({length: count}, (_, id) => ({id, createChild: childOf(`c${id}`, 'pay', input)}))
  await workflows.completeTurn('shop', answer('o-1', children))
  leaveOne()
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'x', input: undefined}})
  const leaveAgain = connect()
  await workflows.completeTurn('shop', answer('o-1', [{versionNotAvailable: {}}]))
  t.match(workflows.find('shop', 'o-1'), {status: 8})
  leaveAgain()
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.ok(workflows.search({}, count + 40).every(({status}) => status === 5))
  t.equal(workflows.find('shop', 'o-1')?.status, 5)
  t.equal(file.database.prepare('SELECT count(*) AS count FROM inbox').get()?.['count'], 0)
  sent = 0
  connect()
  t.equal(sent, 0)
}

/** IDs of 10,000 bytes and of every character, with inputs of this length. */
export async function keepIds(t: Test, length: number): Promise<void> {
  const path = join(t.testdir(), 'work.db')
  const {workflows, close} = await openHouse(t, path)
  const characters = String.fromCodePoint(...Array.from({length: 0x3000}, (_, code) => code), 0x1f600)
  const ids = ['', 'x'.repeat(10_000), characters, 'a\0b', 'a\0c']
  const input = 'ä'.repeat(length)
  for (const id of ids) await workflows.start('shop', {...order(id), input})
  close()
  const next = await openHouse(t, path)
  for (const id of ids) t.equal(next.workflows.find('shop', id)?.input, input)
  t.equal(next.workflows.find('shop', 'a'), undefined)
  const worker = connected(next.workflows)
  while (worker.items.length < ids.length) await new Promise(setImmediate)
  t.strictSame(
    worker.items.map(({turn}) => turn?.instanceId),
    ids
  )
  next.close()
}
