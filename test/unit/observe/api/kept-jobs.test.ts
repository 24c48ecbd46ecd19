import t, {type Test} from 'tap'
import {deleteScheduled, keptJobs, listScheduled, takeJobs} from '../../../../src/observe/api/jobs/serve-scheduled.ts'
import type {JobRequest} from '../../../../src/work/job/job.ts'
import {Jobs} from '../../../../src/work/job/jobs.ts'
import {openHouse, order, type House} from '../../../rig/workflow-house.ts'

const HOUR_MS = 3_600_000
const NEVER = new AbortController().signal

const jobsOf = ({file, wakeUps, clock}: House): Jobs =>
  new Jobs({file, wakeUps, clock, log: () => undefined}, async () => Promise.resolve({kind: 'done', answer: '200'}))

/** In how many hours a job comes, and ends, where it was scheduled, and in another run that imports it. */
async function moved(
  t: Test,
  request: Omit<JobRequest, 'name'>,
  [skipped, before]: readonly [skipped: number, before: number]
): Promise<readonly unknown[]> {
  const [house, other] = [await openHouse(t), await openHouse(t)]
  const [jobs, others] = [jobsOf(house), jobsOf(other)]
  await jobs.schedule('shop', {name: 'daily', ...request}, false)
  await house.workflows.skip(skipped * HOUR_MS, NEVER)
  await other.workflows.skip(before * HOUR_MS, NEVER)
  await takeJobs(others, {body: JSON.stringify(await keptJobs(jobs, new URLSearchParams()))} as never)
  const left = async (of: Jobs): Promise<unknown> => {
    const {planned = 0, expires = 0} = await of.get('shop', 'daily')
    return [planned, expires].map(time => Math.round((time - of.date()) / HOUR_MS))
  }
  const both = [await left(jobs), await left(others)]
  for (const each of [jobs, others]) each.close()
  for (const each of [house, other]) each.close()
  return both
}

t.test('jobs that one run exports and another one imports come as soon there, whatever either has skipped', async t => {
  for (const [skipped, before, left] of [
    [84, 0, [12, 156]],
    [0, 100, [24, 240]],
    [84, 100, [12, 156]]
  ] as const)
    t.strictSame(await moved(t, {schedule: '@every 24h', ttl: '240h'}, [skipped, before]), [left, left])
})

t.test('a job with an end that its app has named is taken by a run that has skipped', async t => {
  const until = {schedule: '@every 1h', dueTime: '1h', ttl: '1970-01-01T05:00:00Z'}
  t.strictSame(await moved(t, until, [0, 100]), [
    [1, 5],
    [1, 5]
  ])
})

t.test('a job that comes by the calendar comes by that of the run that imports it', async t => {
  const daily = {schedule: 'TZ=UTC 0 0 9 * * *', ttl: '240h'}
  t.strictSame(await moved(t, daily, [84, 0]), [
    [21, 156],
    [9, 156]
  ])
  t.strictSame(await moved(t, daily, [84, 84]), [
    [21, 156],
    [21, 156]
  ])
  t.strictSame(
    await moved(t, {...daily, dueTime: '100h'}, [84, 0]),
    [
      [16, 256],
      [16, 256]
    ],
    'but the first time that was asked for'
  )
})

const noReminders = async (): Promise<never> => Promise.resolve({list: () => []} as never)

t.test('the begin of a job at a time that its app has named is as far away as the job', async t => {
  const house = await openHouse(t)
  const jobs = jobsOf(house)
  await house.workflows.skip(84 * HOUR_MS, NEVER)
  await jobs.schedule('shop', {name: 'once', dueTime: new Date(house.clock.date() + HOUR_MS).toISOString()}, false)
  const work = {jobs, workflows: house.workflows, reminders: noReminders}
  const {now, scheduled} = await listScheduled(work, new URLSearchParams())
  t.strictSame(
    scheduled.map(({begin}) => Date.parse(begin) - Date.parse(now)),
    [HOUR_MS]
  )
  jobs.close()
  house.close()
})

t.test('pauses between tries that are no whole number of ms are taken, too', async t => {
  const house = await openHouse(t)
  const jobs = jobsOf(house)
  const policy = {kind: 'constant', intervalMs: 0.5} as const
  await jobs.schedule('shop', {name: 'often', dueTime: '1h', policy}, false)
  await takeJobs(jobs, {body: JSON.stringify(await keptJobs(jobs, new URLSearchParams()))} as never)
  t.match((await jobs.get('shop', 'often')).policy, {kind: 'constant', intervalMs: 0.5})
  jobs.close()
  house.close()
})

t.test('what has gone by itself while others were deleted is missing, and not deleted', async t => {
  const house = await openHouse(t)
  const {workflows, clock} = house
  const jobs = jobsOf(house)
  await jobs.schedule('shop', {name: 'a', dueTime: '1h'}, false)
  await workflows.start('shop', order('o-1', clock.date() + HOUR_MS))
  const [, start] = (await workflows.waitingTimers()).map(({name}) => `workflow/shop/o-1/${name}`).toSpliced(0, 0, '')
  const reminders = async (): Promise<never> =>
    Promise.resolve({
      list: async () => {
        await workflows.skipTimer(await workflows.appeared('shop', 'o-1', () => undefined), undefined)
        return []
      }
    } as never)
  const body = JSON.stringify({names: ['app/shop/a', start, 'app/shop/b']})
  const {deleted, missing} = await deleteScheduled({workflows, jobs, reminders}, {body} as never)
  t.strictSame([deleted.map(({name}) => name), missing], [['app/shop/a'], [start, 'app/shop/b']])
  jobs.close()
  house.close()
})
