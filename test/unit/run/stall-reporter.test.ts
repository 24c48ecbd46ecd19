import t from 'tap'
import type {WarningCode} from '../../../src/model/reporter.ts'
import {StallReporter} from '../../../src/run/stall-reporter.ts'
import {faultOf} from '../../../src/work/workflow/failure.ts'
import {answer, openHouse, order, TestWorker} from '../../rig/workflow-house.ts'

t.test('workflows that stall at one time are one warning, with the reason of the first', async t => {
  const {workflows, clock} = await openHouse(t)
  const warned: (readonly [WarningCode, string])[] = []
  const reporter = new StallReporter({warn: (code, text) => void warned.push([code, text])}, clock)
  workflows.onChanged(instance => reporter.note(instance))
  const stall = async (id: string): Promise<void> => {
    await workflows.start('shop', order(id))
    const gone = {...answer(id, [{id: 1, versionNotAvailable: {}}]), version: {patches: [], name: 'v1'}}
    await workflows.completeTurn('shop', gone)
  }
  workflows.connect('shop', new TestWorker())
  await stall('o-1')
  await stall('o-2')
  await stall('o-3')
  const [first] = ['o-1'].flatMap(id => workflows.find('shop', id) ?? [])
  t.equal(first && faultOf(first), 'Version not available: v1')
  const terminated = {executionTerminated: {input: undefined, recurse: false}}
  await workflows.tell('shop', 'o-3', 'terminate', terminated)
  t.strictSame(warned, [])
  clock.pass(500)
  t.strictSame(warned, [
    [
      'workflow-stalled',
      'workflow order o-1 of "shop" is stalled: Version not available: v1\n   So is 1 other of "shop": pillion workflow list --filter-status STALLED'
    ]
  ])
  await stall('o-4')
  clock.pass(500)
  t.strictSame(warned.slice(1), [
    ['workflow-stalled', 'workflow order o-4 of "shop" is stalled: Version not available: v1']
  ])
})
