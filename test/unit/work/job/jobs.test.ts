import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {JobRequest} from '../../../../src/work/job/job.ts'
import {Jobs, type JobOutcome} from '../../../../src/work/job/jobs.ts'
import type {SeriesOptions} from '../../../../src/work/series/series.ts'
import {WakeUps} from '../../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../../src/work/work-file.ts'
import {TestClock} from '../../../rig/clock.ts'

const tick = async (): Promise<void> => {
  for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
}

interface JobHouse {
  readonly jobs: Jobs
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  /** Lets a time pass, second by second. */
  readonly pass: (seconds: number) => Promise<void>
  /** What came to the app: the second, and the name. */
  readonly come: string[]
  readonly lines: string[]
  /** What the app answers next; `done` where nothing is said. */
  readonly answers: JobOutcome['kind'][]
  /** Called with each delivery. */
  readonly deliver: {before: () => void | Promise<void>}
  close(): void
}

const open = async (t: Test, clock = new TestClock(), path?: string, catchesUp = false): Promise<JobHouse> => {
  const file = await WorkFile.open(path, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const come: string[] = []
  const lines: string[] = []
  const answers: JobOutcome['kind'][] = []
  const deliver: JobHouse['deliver'] = {before: () => undefined}
  const log: SeriesOptions['log'] = (_, level, text) => lines.push(`${level} ${text}`)
  const jobs = new Jobs({file, wakeUps, clock, catchesUp, log}, async ({name, planned}) => {
    await deliver.before()
    const kind = answers.shift() ?? 'done'
    if (kind !== 'undeliverable') come.push(`${clock.date() / 1000} ${name} of ${(planned ?? 0) / 1000}`)
    return {kind, answer: kind === 'done' ? '200' : '500'}
  })
  let isClosed = false
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    jobs.close()
    wakeUps.close()
    file.close()
  }
  t.teardown(close)
  await tick()
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.pass(1000)
      await tick()
    }
  }
  return {jobs, file, wakeUps, pass, come, lines, answers, deliver, close}
}

const schedule = async ({jobs}: JobHouse, request: Partial<JobRequest>, isOverwriting = false): Promise<void> =>
  jobs.schedule('shop', {name: 'j', ...request}, isOverwriting)

const gone = async (t: Test, {jobs}: JobHouse): Promise<void> =>
  void (await t.rejects(jobs.get('shop', 'j'), {message: 'job not found: j'}))

t.test('ticks come at their times, as often as they shall; then the job is gone', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '@every 2s', repeats: 3})
  await schedule(house, {name: 'once', dueTime: '3s'})
  await house.pass(10)
  t.strictSame(house.come, ['2 j of 2', '3 once of 3', '4 j of 4', '6 j of 6'])
  await gone(t, house)
})

t.test('a due time counts as the first tick, and the schedule goes on from it; a ttl ends it', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '@every 4s', dueTime: '1s', ttl: '9s'})
  await house.pass(20)
  t.strictSame(house.come, ['1 j of 1', '5 j of 5', '9 j of 9'])
  await gone(t, house)
  await schedule(house, {schedule: '@every 4s', ttl: '1s'})
  await gone(t, house)
})

t.test('a tick that fails is tried again; the next one comes at its own time', async t => {
  const house = await open(t)
  house.answers.push('failed', 'failed')
  await schedule(house, {schedule: '@every 3s'})
  await house.pass(6)
  t.strictSame(house.come, ['3 j of 3', '4 j of 3', '5 j of 3', '6 j of 6'])
  await schedule(house, {dueTime: '1s'}, true)
  house.answers.push('failed', 'failed', 'failed', 'failed')
  await house.pass(10)
  t.strictSame(house.come.slice(4), ['7 j of 7', '8 j of 7', '9 j of 7', '10 j of 7'], 'three more tries by default')
  t.match(house.lines.at(-1), 'error job j failed: 500; this tick is given up')
  await gone(t, house)
  await schedule(house, {dueTime: '1s', policy: {kind: 'drop'}})
  house.answers.push('failed')
  await house.pass(5)
  t.equal(house.come.length, 9)
  await schedule(house, {dueTime: '1s', policy: {kind: 'constant', intervalMs: 2000, maxRetries: undefined}})
  house.answers.push(...Array.from({length: 20}, () => 'failed' as const))
  await house.pass(45)
  t.equal(house.come.length, 30, 'until it works')
})

t.test('one that the app cannot take waits without a retry, and comes once it can; of several the latest', async t => {
  const house = await open(t)
  house.answers.push('undeliverable')
  await schedule(house, {schedule: '@every 2s', repeats: 3})
  await house.pass(7)
  t.strictSame(house.come, [])
  house.jobs.appReady('shop')
  await tick()
  t.strictSame(house.come, ['7 j of 6'])
  t.match(house.lines, ['info job j: 2 missed ticks were passed over'])
  await house.pass(5)
  t.strictSame(house.come, ['7 j of 6', '8 j of 8', '10 j of 10'], 'missed ones use up no repeats')
})

t.test('a paused one that waits for its app is held; one that is run is not brought a second time', async t => {
  const house = await open(t)
  house.answers.push('undeliverable')
  await schedule(house, {schedule: '@every 2s'})
  await house.pass(3)
  t.match(await house.jobs.pause('shop', 'j'), {isDue: false, isPaused: true})
  house.jobs.appReady('shop')
  await house.pass(4)
  t.strictSame(house.come, [])
  t.match(await house.jobs.run('shop', 'j'), {kind: 'done'})
  t.match(await house.jobs.get('shop', 'j'), {count: 0, answer: '200'})
  await house.jobs.resume('shop', 'j')
  await house.pass(2)
  t.strictSame(house.come, ['7 j of 2', '9 j of 9'])
})

t.test('the order of what waits for an app is that in which it was due', async t => {
  const house = await open(t)
  const names = Array.from({length: 250}, (_, n) => `job-${n.toString().padStart(3, '0')}`)
  house.answers.push(...names.map(() => 'undeliverable' as const))
  for (const name of names) await schedule(house, {name, dueTime: '1s'})
  await house.pass(6) // they fire fifty at a time
  house.answers.length = 0
  house.jobs.appReady('shop')
  for (let turn = 0; turn < 20; turn++) await tick()
  t.strictSame(
    house.come.map(line => line.split(' ')[1]),
    names
  )
})

t.test('the next run goes on: what waits, what was due meanwhile, and what was under way', async t => {
  const path = join(t.testdir(), 'work.db')
  const clock = new TestClock()
  const first = await open(t, clock, path)
  await schedule(first, {schedule: '@every 2s', repeats: 4})
  await schedule(first, {name: 'once', dueTime: '5s'})
  await first.pass(3)
  first.answers.push('undeliverable')
  await first.pass(1)
  t.strictSame(first.come, ['2 j of 2'])
  first.close()
  clock.pass(5000)
  const second = await open(t, clock, path)
  await second.pass(1)
  t.strictSame(second.come.toSorted(), ['10 once of 5', '9 j of 8'])
  await second.pass(5)
  t.strictSame(second.come.at(-1), '12 j of 12')
  await gone(t, second)
})

t.test('with catchUp: all each tick comes that was missed, one after the other', async t => {
  const house = await open(t, new TestClock(), undefined, true)
  house.answers.push('undeliverable')
  await schedule(house, {schedule: '@every 2s'})
  await house.pass(7)
  house.jobs.appReady('shop')
  await house.pass(12)
  t.match(house.come.map(each => each.replace(/^\d+ /, '')).slice(0, 5), [
    'j of 2',
    'j of 4',
    'j of 6',
    'j of 8',
    'j of 10'
  ])
  t.strictSame(house.lines, [])
})

t.test('overwriting, deleting, and what is under way then', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '@every 5s'})
  await t.rejects(schedule(house, {dueTime: '1s'}), {
    message: "job already exists: 'app||default||shop||j'",
    kind: 'exists'
  })
  await t.rejects(schedule(house, {schedule: 'x'}, true), {message: /exactly 6 fields/})
  t.match(await house.jobs.get('shop', 'j'), {schedule: '@every 5s'}, 'a bad one leaves the old one')
  await schedule(house, {dueTime: '1s'}, true)
  await house.pass(6)
  t.strictSame(house.come, ['1 j of 1'])
  await schedule(house, {schedule: '@every 1s'})
  t.equal(await house.jobs.delete('shop', 'j'), true)
  t.equal(await house.jobs.delete('shop', 'j'), false)
  for (const name of ['a1', 'a2', 'b']) await schedule(house, {name, dueTime: '1s'})
  t.equal(await house.jobs.deletePrefix('shop', 'a'), 2)
  t.match(await house.jobs.list('shop'), [{name: 'b'}])
  await house.pass(3)
  t.strictSame(house.come.slice(1), ['7 b of 7'])
})

t.test('names that Dapr does not take', async t => {
  const house = await open(t)
  for (const name of ['a/b', 'a\\b', 'a#b', 'a?b'])
    await t.rejects(schedule(house, {name, dueTime: '1s'}), {
      message: `job name is invalid ${JSON.stringify(name)}: must not contain '/', '\\', '#' or '?'`
    })
  await t.rejects(schedule(house, {name: 'a\nb', dueTime: '1s'}), {message: /control characters/})
  await t.rejects(schedule(house, {name: 'x'.repeat(500), dueTime: '1s'}), {message: /at most 512 characters/})
  for (const name of ['a b', '||', '@', '%', 'ü', '..']) await schedule(house, {name, dueTime: '1s'})
})

t.test('pause and resume: what falls due meanwhile is not missed; run counts nothing', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '@every 2s', repeats: 2})
  t.match(await house.jobs.run('shop', 'j'), {kind: 'done'})
  await house.jobs.pause('shop', 'j')
  await house.pass(7)
  t.strictSame(house.come, ['0 j of 2'])
  t.match(await house.jobs.resume('shop', 'j'), {isPaused: false, planned: 9000})
  await house.pass(5)
  t.strictSame(house.come, ['0 j of 2', '9 j of 9', '11 j of 11'])
  await schedule(house, {schedule: '@every 2s', ttl: '3s'})
  await house.jobs.pause('shop', 'j')
  await house.pass(5)
  t.match(await house.jobs.resume('shop', 'j'), {planned: undefined}, 'its time is over')
  await gone(t, house)
})

t.test('one that is resumed between two tries has all tries of its next tick', async t => {
  const house = await open(t)
  house.answers.push('failed', 'failed', 'failed')
  await schedule(house, {schedule: '@every 10s'})
  await house.pass(12)
  t.strictSame(house.come, ['10 j of 10', '11 j of 10', '12 j of 10'])
  await house.jobs.pause('shop', 'j')
  await house.jobs.resume('shop', 'j')
  house.answers.push('failed', 'failed', 'failed')
  await house.pass(20)
  t.strictSame(house.come.slice(3), ['22 j of 22', '23 j of 22', '24 j of 22', '25 j of 22', '32 j of 32'])
})

t.test('one that is run by hand between two tries is tried when it would have been', async t => {
  const house = await open(t)
  house.answers.push('failed')
  await schedule(house, {dueTime: '1s', policy: {kind: 'constant', intervalMs: 10_000}})
  await house.pass(2)
  await house.jobs.run('shop', 'j')
  t.match(await house.jobs.get('shop', 'j'), {answer: '200'})
  await house.pass(12)
  t.strictSame(house.come, ['1 j of 1', '2 j of 1', '11 j of 1'])
  await gone(t, house)
})

t.test('the answer to one that is run by hand is not that of the job which has its name since', async t => {
  const house = await open(t)
  await schedule(house, {dueTime: '1h'})
  house.deliver.before = async () => schedule(house, {dueTime: '2h'}, true)
  await house.jobs.run('shop', 'j')
  t.match(await house.jobs.get('shop', 'j'), {dueTime: '2h', answer: ''})
})

t.test('time that is skipped counts for schedules, too', async t => {
  const house = await open(t)
  await schedule(house, {schedule: 'TZ=UTC 0 0 * * * *', repeats: 3})
  await house.wakeUps.skip(90 * 60_000)
  await tick()
  t.strictSame(house.come, ['0 j of 3600'])
  await house.pass(30 * 60)
  t.strictSame(house.come.at(-1), '1800 j of 7200')
})

t.test('a plan that never comes is taken, and told', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '0 0 0 31 2 *'})
  await schedule(house, {name: 'late', schedule: '@every 2s', ttl: '1s'})
  t.match(house.lines, ['warn job j: 0 0 0 31 2 * never comes', 'warn job late: its ttl ends before it comes'])
  t.match(await house.jobs.get('shop', 'j'), {planned: undefined})
  t.equal((await house.jobs.list('shop')).length, 1)
})

t.test('a job that is refused, since it exists, undoes nothing of what others ask for in the same tick', async t => {
  const house = await open(t)
  await schedule(house, {name: 'dup', dueTime: '1h'})
  let undone = 0
  house.file.onUndone(() => void undone++)
  const names = Array.from({length: 10}, (_, index) => (index === 5 ? 'dup' : `n${index}`))
  const results = await Promise.allSettled(names.map(async name => schedule(house, {name, dueTime: '1h'})))
  t.strictSame(
    results.flatMap(({status}, index) => (status === 'rejected' ? [index] : [])),
    [5]
  )
  t.match(results[5], {reason: {kind: 'exists'}})
  t.equal((await house.jobs.list('shop')).length, 10)
  t.equal(undone, 0, 'nobody’s work begins again for that')
})

t.test('another change of the tick that is undone takes no tick of a job with it', async t => {
  const house = await open(t)
  await schedule(house, {dueTime: '1s'})
  const passed = house.pass(1)
  await t.rejects(
    house.file.change(() => {
      house.file.database.exec("INSERT INTO wake_ups (kind) VALUES ('test')")
      throw new Error('refused')
    })
  )
  await passed
  t.strictSame(house.come, ['1 j of 1'])
})

t.test('what an app has answered while the file could not be written is kept later, and not done twice', async t => {
  const house = await open(t)
  await schedule(house, {schedule: '@every 10s', repeats: 3})
  await house.pass(9)
  house.deliver.before = () => house.file.database.exec('PRAGMA query_only = 1')
  await house.pass(3)
  house.deliver.before = () => undefined
  house.file.database.exec('PRAGMA query_only = 0')
  await house.pass(20)
  t.strictSame(house.come, ['10 j of 10', '20 j of 20', '30 j of 30'])
  await gone(t, house)
})

t.test('one that is set again while its app has it waits until that has answered', async t => {
  const house = await open(t)
  const {promise, resolve} = Promise.withResolvers<void>()
  house.deliver.before = async () => promise
  await schedule(house, {dueTime: '1s'})
  await house.pass(1)
  house.deliver.before = () => undefined
  await schedule(house, {dueTime: '1s'}, true)
  await house.pass(2)
  t.strictSame(house.come, [])
  resolve()
  await house.pass(1)
  t.strictSame(house.come, ['4 j of 1', '4 j of 2'])
  await gone(t, house)
})

t.test('a disk that is full for a minute, in which ticks fall due and are answered: then jobs go on', async t => {
  const house = await open(t)
  await schedule(house, {name: 'often', schedule: '@every 1s'})
  await schedule(house, {name: 'once', dueTime: '30s'})
  await house.pass(2)
  const answered = Promise.withResolvers<void>()
  house.deliver.before = async () => answered.promise
  await house.pass(1)
  house.file.database.exec('PRAGMA query_only = 1')
  answered.resolve()
  house.deliver.before = () => undefined
  await t.rejects(schedule(house, {name: 'new', dueTime: '1s'}), {message: /cannot be written/})
  await house.pass(60)
  t.strictSame(house.come, ['1 often of 1', '2 often of 2', '3 often of 3'], 'nothing is done that cannot be kept')
  house.file.database.exec('PRAGMA query_only = 0')
  // what is due is looked for again within ten seconds
  await house.pass(12)
  t.equal(house.come.filter(line => line.includes('once')).length, 1)
  const isLate = house.come.some(line => line.endsWith('often of 4'))
  t.equal(isLate, false, 'of those that were missed the latest comes')
  const {length} = house.come
  await house.pass(2)
  t.equal(house.come.length, length + 2)
  t.strictSame(
    (await house.jobs.list('shop')).map(({name}) => name),
    ['often']
  )
})

t.test('@every 1ms, and a due time in the year 9999', async t => {
  const house = await open(t)
  await schedule(house, {name: 'fast', schedule: '@every 1ms'})
  await schedule(house, {name: 'late', dueTime: '9999-12-31T23:59:59Z'})
  await house.pass(3)
  t.ok(
    house.come.length >= 3 && house.come.length < 100,
    `${house.come.length} ticks: those that were missed are passed over`
  )
  t.match(await house.jobs.get('shop', 'late'), {planned: Date.parse('9999-12-31T23:59:59Z'), isDue: false})
  await house.jobs.delete('shop', 'fast')
  const {length} = house.come
  await house.pass(2)
  t.equal(house.come.length, length)
})
