import {test} from 'tap'
import {membersIn, type Membership} from '../../../../src/supervisor/process/process-tracker.ts'
import type {ProcessSnapshot, Seen} from '../../../../src/platform/process-info.ts'

const GROUP = 100
const process = (pid: number, wishes: Partial<Seen> = {}): Seen => ({
  pid,
  parent: 1,
  group: GROUP,
  session: GROUP,
  started: 1000,
  isZombie: false,
  ...wishes
})

const lookAt = (all: readonly Seen[], marked: readonly number[] = []): ProcessSnapshot => ({
  all,
  carries: (pid, marker) => marker === 'PILLION_LIFE=x-1' && marked.includes(pid),
  isBare: () => false
})

const membership = (wishes: Partial<Membership> = {}): Membership => ({
  number: GROUP,
  started: 1000,
  marker: 'PILLION_LIFE=x-1',
  known: new Map(),
  isReaped: true,
  isFirst: false,
  ...wishes
})

const pids = (look: ProcessSnapshot, wishes?: Partial<Membership>): number[] =>
  membersIn(look, membership(wishes)).map(({pid}) => pid)

test('while the leader was not reaped the group is what has its number, but for the dead', async t => {
  const all = [process(GROUP), process(101), process(102, {isZombie: true}), process(103, {group: 7})]
  t.same(pids(lookAt(all), {isReaped: false}), [GROUP, 101])
})

test('later a member that carries the mark makes all of it ours', async t => {
  t.same(pids(lookAt([process(101), process(102)], [102])), [101, 102])
})

test('later a member that was seen before makes all of it ours', async t => {
  const known = new Map([[101, 1000]])
  t.same(pids(lookAt([process(101), process(102)]), {known}), [101, 102])
})

test('a number that was given to somebody else is nobody of ours', async t => {
  const strangers = [process(GROUP, {started: 5000}), process(5001, {started: 5001})]
  t.same(pids(lookAt(strangers)), [])
  t.same(pids(lookAt(strangers), {known: new Map([[5001, 1000]])}), [], 'the same pid with another start')
  t.same(pids(lookAt(strangers), {isFirst: true}), [], 'also at the first look')
})

test('members of whom nothing is known are ours only at the look that follows the exit at once', async t => {
  const child = lookAt([process(101, {started: 1005})])
  t.same(pids(child, {isFirst: true}), [101])
  t.same(pids(child), [])
  t.same(pids(lookAt([process(101, {session: 7})]), {isFirst: true}), [], 'of another session')
  t.same(pids(lookAt([process(101, {started: 900})]), {isFirst: true}), [], 'older than the leader')
})

test('the zombie of the leader himself does not make his number somebody else’s', async t => {
  const all = [process(GROUP, {isZombie: true}), process(101)]
  t.same(pids(lookAt(all), {isFirst: true}), [101])
})
