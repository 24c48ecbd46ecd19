import t from 'tap'
import type {ComponentUse} from '../../../../../src/model/call.ts'
import {latestUses, ComponentUses} from '../../../../../src/observe/telemetry/recorder/component-uses.ts'

const use = (startedAt: number, more: Partial<ComponentUse> = {}): ComponentUse => ({
  app: 'shop',
  block: 'state',
  component: 'store',
  operation: 'get',
  startedAt,
  totalMs: 2,
  failure: '',
  event: '',
  traceparent: '',
  ...more
})

t.test('what apps did with components, as it was; of an app that is not recorded nothing', async t => {
  const uses = new ComponentUses(app => app !== 'vault')
  t.same([...latestUses(uses)], [])
  const published = use(2, {
    block: 'pubsub',
    component: 'bus',
    operation: 'orders',
    event: 'e-1',
    failure: 'connection refused'
  })
  for (const each of [use(1), published, use(3, {app: 'vault'})]) uses.add(each)
  t.same([...latestUses(uses)], [use(1), published])
})

t.test('once the template says otherwise, an app is recorded, or no more', async t => {
  let isRecorded = false
  const uses = new ComponentUses(() => isRecorded)
  const seen = (): readonly number[] => [...latestUses(uses)].map(({startedAt}) => startedAt)
  const turn = (next: boolean): void => {
    isRecorded = next
    uses.refresh()
  }
  uses.add(use(1))
  turn(true)
  uses.add(use(2))
  turn(false)
  uses.add(use(3))
  turn(true)
  uses.add(use(4))
  t.same(seen(), [2, 4])
  t.equal(uses.ways.length, 1)
})

t.test('the latest 4,096 are kept, and endless kinds of topics need no endless memory', async t => {
  const uses = new ComponentUses(() => true)
  for (let at = 0; at < 10_000; at++) uses.add(use(at, {operation: `topic-${at}`}))
  const kept = [...latestUses(uses)]
  t.equal(kept.length, 4096)
  t.equal(kept.at(-1)?.startedAt, 9999)
  t.equal(new Set(kept.map(({operation}) => operation)).size, 1)
  t.equal(kept.at(-1)?.operation, '(more)')
})

t.test('the count of an app stays while others push its uses out', async t => {
  const uses = new ComponentUses(() => true)
  uses.add(use(1))
  for (let at = 0; at < 6000; at++) uses.add(use(2, {app: 'busy', operation: `get ${at % 3}`}))
  t.equal(uses.countOf('shop'), 1)
  uses.add(use(3))
  t.equal(uses.countOf('shop'), 2)
  t.equal(uses.countOf('busy'), 6000)
})
