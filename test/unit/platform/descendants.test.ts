import {test} from 'tap'
import type {Seen} from '../../../src/platform/process-info.ts'
import {descendantsIn} from '../../../src/platform/process-table.ts'

const seen = (pid: number, parent: number): Seen => ({
  pid,
  parent,
  group: pid,
  session: pid,
  started: 1,
  isZombie: false
})

test('what is below processes is found, once each, and no circle holds it up', async t => {
  const all = [seen(1, 0), seen(10, 1), seen(11, 10), seen(12, 11), seen(20, 1), seen(30, 31), seen(31, 30)]
  const pidsBelow = (...pids: readonly number[]): readonly number[] => descendantsIn(all, pids).map(({pid}) => pid)
  t.same(pidsBelow(10), [11, 12])
  t.same(pidsBelow(10, 11), [11, 12])
  t.same(pidsBelow(20, 99), [])
  t.same(pidsBelow(30), [31, 30])
})
