import {join} from 'node:path'
import t from 'tap'
import type {Job} from '../../../../src/work/job/job.ts'
import {JobStore} from '../../../../src/work/job/job-store.ts'
import {Jobs} from '../../../../src/work/job/jobs.ts'
import {WakeUps} from '../../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../../src/work/work-file.ts'
import {TestClock} from '../../../rig/clock.ts'

t.test('a run that begins counts as overdue what is due after a skip as well, and nothing that is paused', async t => {
  const clock = new TestClock()
  const path = join(t.testdir(), 'work.db')
  const file = await WorkFile.open(path, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const jobs = new Jobs({file, wakeUps, clock, log: () => undefined}, async () =>
    Promise.resolve({kind: 'done', answer: '200'})
  )
  await wakeUps.skip(86_400_000)
  for (const name of ['late', 'paused', 'later'])
    await jobs.schedule('shop', {name, dueTime: name === 'later' ? '1h' : '10s'}, false)
  await jobs.pause('shop', 'paused')
  jobs.close()
  wakeUps.close()
  file.close()
  clock.pass(60_000)
  const next = await WorkFile.open(path, text => t.fail(text))
  t.strictSame(new JobStore(next.database).counts(clock.date()), [{app: 'shop', count: 3, overdue: 1}])
  next.close()
})

t.test('after a skip a time that an app names is still one of its own clock', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const jobs = new Jobs({file, wakeUps, clock, log: () => undefined}, async () =>
    Promise.resolve({kind: 'done', answer: '200'})
  )
  await wakeUps.skip(86_400_000)
  const [dueTime, ttl] = ['1970-01-01T00:00:03Z', '1970-01-01T00:00:05Z']
  await jobs.schedule('shop', {name: 'once', dueTime}, false)
  await jobs.schedule('shop', {name: 'often', schedule: '@every 2s', ttl}, false)
  t.match(await jobs.get('shop', 'once'), {planned: 86_403_000})
  t.match(await jobs.get('shop', 'often'), {planned: 86_402_000, expires: 86_405_000})
  jobs.close()
  wakeUps.close()
  file.close()
})

t.test('no number makes a job one that cannot be read again', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const jobs = new Jobs({file, wakeUps, clock, log: () => undefined}, async () =>
    Promise.resolve({kind: 'done', answer: '200'})
  )
  await jobs.schedule('shop', {name: 'j', schedule: '@every 1s'}, false)
  const [job] = (await jobs.some({after: 0, limit: 1})) as [Job]
  for (const most of [2 ** 53, 1e16, 1e300]) {
    await jobs.take([{...job, repeats: most, count: most, last: -most, planned: most}])
    const {repeats, count, last} = await jobs.get('shop', 'j')
    const max = Number.MAX_SAFE_INTEGER
    t.same([repeats, count, last], [max, max, -max])
  }
  jobs.close()
  wakeUps.close()
  file.close()
})
