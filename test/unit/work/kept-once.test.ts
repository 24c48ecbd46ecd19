import t from 'tap'
import type {WorkSpan} from '../../../src/model/work-event.ts'
import {Jobs} from '../../../src/work/job/jobs.ts'
import {WakeUps} from '../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {TestClock} from '../../rig/clock.ts'
import {answer, call, end, openHouse, order, TestWorker} from '../../rig/workflow-house.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
}

/** Lets seconds pass in which the disk is full behind what is there already, and one in which it is not. */
async function throughFullDisk(file: WorkFile, clock: TestClock, work: () => unknown): Promise<void> {
  const pages = file.database.prepare('PRAGMA page_count').get()?.['page_count']
  file.database.exec(`PRAGMA max_page_count = ${String(pages)}`)
  const done = work()
  for (let second = 0; second < 10; second++) {
    await turns()
    clock.pass(1000)
  }
  file.database.exec('PRAGMA max_page_count = 1000000')
  await turns()
  clock.pass(1000)
  await done
}

t.test('what a tick has failed with is said once, also where that cannot be written for a while', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const lines: string[] = []
  const log = (app: string, level: string, text: string): void =>
    void lines.push(`${app} ${level} ${text.slice(0, 30)}`)
  const answered = 'x'.repeat(1_000_000)
  const jobs = new Jobs({file, wakeUps, clock, log}, async () => Promise.resolve({kind: 'failed', answer: answered}))
  await jobs.schedule('shop', {name: 'j', dueTime: '1s', policy: {kind: 'constant', intervalMs: 60_000}}, false)
  await throughFullDisk(file, clock, turns)
  t.strictSame(lines, [`shop warn job j failed: ${'x'.repeat(16)}`])
  jobs.close()
  wakeUps.close()
  file.close()
})

t.test('a workflow whose turn cannot be written for a while is counted, and traced, once', async t => {
  const house = await openHouse(t)
  const {workflows, file, counted, clock, said} = house
  const spans: WorkSpan[] = []
  const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  house.traces = {begin: () => traceparent, ended: span => void spans.push(span())}
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  house.isAllowed = () => false
  counted.length = spans.length = 0
  // what is written last has no room
  const large = {customStatus: {value: 'x'.repeat(1_000_000)}}
  const asked = [call(0, 'charge'), call(1, 'send')]
  await throughFullDisk(file, clock, async () => workflows.completeTurn('shop', {...answer('o-1', asked), ...large}))
  t.strictSame(
    counted.filter(({type}) => type === 'begun').map(({type}) => type),
    ['begun']
  )
  t.equal(said.filter(line => line.includes('denied')).length, 2, 'of each activity')
  await throughFullDisk(file, clock, async () =>
    workflows.completeTurn('shop', {...answer('o-1', [end()]), customStatus: {value: 'y'.repeat(3_000_000)}})
  )
  t.match(workflows.find('shop', 'o-1'), {status: 1})
  t.equal(counted.filter(({type}) => type === 'ended').length, 1)
  t.equal(spans.length, 1)
})
