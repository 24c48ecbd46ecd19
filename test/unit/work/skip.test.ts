import t from 'tap'
import {Jobs} from '../../../src/work/job/jobs.ts'
import type {Availability} from '../../../src/model/availability.ts'
import {advanceClock, mayConnect} from '../../../src/work/skip.ts'
import {WakeUps} from '../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {TestClock} from '../../rig/clock.ts'

const DAY_MS = 86_400_000

async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
}

t.test('after a skip that could not be written to its end, what it has held back comes at its time', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  let came = 0
  const jobs = new Jobs({file, wakeUps, clock, log: (_, level, text) => t.fail(`${level} ${text}`)}, async () => {
    came++
    return Promise.resolve({kind: 'done', answer: '200'})
  })
  await jobs.schedule('shop', {name: 'often', schedule: '@every 1m'}, false)
  const settle = async (): Promise<boolean> => {
    await turns()
    // it has come often enough, and is held back
    if (came === 100) file.database.exec('PRAGMA query_only = 1')
    return wakeUps.settled(1000)
  }
  const skipped = advanceClock(wakeUps, DAY_MS, {settle}, new AbortController().signal)
  await t.rejects(skipped, {message: / cannot be written: .+ \(1h40m0s were skipped before\)$/})
  t.equal(wakeUps.ahead, 100 * 60_000)
  file.database.exec('PRAGMA query_only = 0')
  t.equal(came, 100)
  for (let second = 0; second < 120; second++) {
    clock.pass(1000)
    await turns()
  }
  t.equal(came, 102)
  jobs.close()
  wakeUps.close()
  file.close()
})

t.test('a skip whose caller has left while it waited for work under way moves no clock', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, new TestClock())
  const caller = new AbortController()
  const settle = async (): Promise<boolean> => {
    caller.abort()
    return Promise.resolve(false)
  }
  t.strictSame(await advanceClock(wakeUps, DAY_MS, {settle}, caller.signal), {fired: [], others: 0, isSettled: false})
  t.equal(wakeUps.ahead, 0)
  wakeUps.close()
  file.close()
})

const may = (
  availability: Availability,
  born: number,
  leftAt: number,
  {hasWorkers, command = ['node']}: {hasWorkers?: boolean; command?: readonly string[]} = {}
): boolean => {
  const triggers = hasWorkers === undefined ? {} : {hasWorkers}
  return mayConnect({availability, plan: {command}, lives: [born], sleep: {triggers}}, leftAt)
}

t.test('a worker is awaited while a process starts and a moment after, not of one long without it', async t => {
  const [before, now] = [40_000, 100_000]
  t.capture(performance, 'now', () => now)
  t.ok(may('waiting', before, 0))
  t.ok(may('ready', now, 0), 'right after up')
  t.notOk(may('ready', before, 0))
  t.notOk(may('ready', before, before), 'its workers were edited out')
  t.ok(may('ready', before, now), 'its worker connects again')
  t.ok(may('debugged', now, 0))
  t.notOk(may('never', before, now))
  t.notOk(may('asleep', 0, 0))
  t.ok(may('asleep', 0, before))
  t.ok(may('asleep', 0, 0, {hasWorkers: true}))
  t.notOk(may('waiting', 0, before, {command: []}), 'nobody knows when its process comes')
  t.ok(may('waiting', 0, now, {command: []}), 'it may only be restarted')
})
