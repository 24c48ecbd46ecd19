import t from 'tap'
import {Jobs} from '../../../../src/work/job/jobs.ts'
import {WakeUps} from '../../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../../src/work/work-file.ts'
import {TestClock} from '../../../rig/clock.ts'

t.test('a tick that cannot be brought, as no code can be loaded for it, comes a second later', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const come: number[] = []
  let failures = 2
  const jobs = new Jobs({file, wakeUps, clock, log: () => undefined}, async () => {
    if (failures-- > 0) throw new Error('EMFILE: too many open files')
    come.push(clock.date())
    return Promise.resolve({kind: 'done', answer: '200'})
  })
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.pass(1000)
      for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
    }
  }
  await jobs.schedule('shop', {name: 'j', schedule: '@every 2s', policy: {kind: 'drop'}}, false)
  await pass(5)
  t.strictSame(come, [4000])
  failures = 1
  t.match(await jobs.run('shop', 'j'), {kind: 'undeliverable', answer: /EMFILE/})
  await pass(1)
  t.strictSame(come, [4000, 6000], 'it is not taken for one that its app still has')
  jobs.close()
  wakeUps.close()
  file.close()
})
