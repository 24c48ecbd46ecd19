import t from 'tap'
import type {KeptRun} from '../../../../src/model/api.generated.ts'
import {changesSince, comparison, whenText} from '../../../../src/clients/cli/compared-runs.ts'

const NOW = new Date(2026, 0, 31, 12).getTime()
const YESTERDAY = new Date(2026, 0, 30, 17, 2).toISOString()

const runOf = (edges: KeptRun['edges'], more: Partial<KeptRun> = {}): KeptRun => ({
  run: 'a',
  startedAt: YESTERDAY,
  lastKnownAt: YESTERDAY,
  isOver: true,
  commit: '',
  exits: [],
  edges,
  ...more
})
const edge = (to: string, p95Ms: number, {calls = 100, failed = 0, from = 'shop'} = {}): KeptRun['edges'][number] => ({
  from,
  to,
  calls,
  failed,
  p95Ms
})

t.test('what is slower, or fails more, than in the run before, in a sentence each', async t => {
  const before = runOf([edge('stock', 20), edge('mail', 9), edge('cards', 40), edge('new', 1, {calls: 3})])
  const run = runOf([
    edge('stock', 60),
    edge('stock', 12, {from: 'web'}),
    edge('mail', 12),
    edge('cards', 40, {failed: 30}),
    edge('new', 900)
  ])
  t.same(changesSince(run, before, NOW), [
    {app: 'stock', text: '"stock" is 3 times slower than yesterday at 17:02 (p95 60 ms, it was 20 ms)'},
    {app: 'cards', text: '30 % of the calls to "cards" fail, yesterday at 17:02 0 % did'}
  ])
  t.same(changesSince(before, before, NOW), [])
})

t.test('days are named as people do; one run has nothing to be compared with', async t => {
  t.equal(whenText(new Date(2026, 0, 31, 9, 5).getTime(), NOW), 'today at 09:05')
  t.equal(whenText(new Date(2026, 0, 2, 9, 5).getTime(), NOW), 'on 2026-01-02 at 09:05')
  t.same(await comparison([runOf([edge('stock', 20)])], {template: '/x/dapr.yaml', now: NOW}), [])
})

t.test('commits that Git does not know are only said to be others', async t => {
  const [slow] = await comparison(
    [runOf([edge('stock', 20)], {commit: 'a'.repeat(40)}), runOf([edge('stock', 90)], {commit: 'b'.repeat(40)})],
    {template: '/nowhere/dapr.yaml', now: NOW}
  )
  t.match(slow?.text, /, at another commit$/)
})
