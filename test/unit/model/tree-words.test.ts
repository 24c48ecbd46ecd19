import t from 'tap'
import type {RequestTree, TreeLine} from '../../../src/model/api.generated.ts'
import {callsOfTree, linesBelow} from '../../../src/model/tree-words.ts'

const AT = '2026-01-31T14:46:28.000Z'
const node = (id: number, more: object): object => ({id, kind: 'call', count: 1, at: AT, totalMs: 50, ...more})
const line = (text: string, {others = 0, ms = 10, level = 'info'} = {}): TreeLine => {
  const time = new Date(Date.parse(AT) + ms).toISOString()
  return {node: 2, others, line: {app: 'api', line: text, level, time, stream: 'stdout'}} as TreeLine
}
const tree = (lines: readonly TreeLine[]): RequestTree =>
  ({
    nodes: [node(1, {}), node(2, {}), node(3, {count: 300}), node(-1, {kind: 'span'})],
    failedAt: 2,
    leftOut: 7,
    lines
  }) as unknown as RequestTree

t.test('the error is kept, and lines of other requests, or from after the end, are left out', async t => {
  const lines = [
    line('Error: no stock', {level: 'error'}),
    ...Array.from({length: 30}, (_, at) => line(`step ${at}`)),
    line('of another', {others: 2}),
    line('a timer', {ms: 70})
  ]
  const shown = linesBelow(tree(lines), {hasLines: false}).get(2) ?? []
  t.equal(shown[0], '… 11 earlier lines')
  t.equal(shown[1], 'api: Error: no stock')
  t.equal(shown.at(-1), 'api: step 29')
  t.equal(shown.length, 21)
  const short = linesBelow(tree(lines), {hasLines: false, isShort: true}).get(2)
  t.same(short, ['api: Error: no stock', '… 30 more lines: --lines'], 'the error alone')
  const all = linesBelow(tree(lines), {hasLines: true}).get(2) ?? []
  t.match(all.at(-2), 'api: of another (or for another of its 3 requests)')
  t.equal(all.at(-1), 'api: a timer')
  t.match(linesBelow(tree([line('only', {others: 1})]), {hasLines: false}).get(2), [
    'api: only (or for another of its 2 requests)'
  ])
})

t.test('calls that share a row, and those that are left out, are counted; spans are not', async t => {
  t.equal(callsOfTree(tree([])), 309)
})
