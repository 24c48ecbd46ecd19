import t from 'tap'
import {layTree, type Tree} from '../../../../../src/observe/api/trace/lay-tree.ts'

/** A tree of what was made for what; `failed`: which failed. All below one call are alike. */
function laid(
  below: Readonly<Record<number, readonly number[]>>,
  {failed = [], asked = 1, maxRows = 1000}: {failed?: readonly number[]; asked?: number; maxRows?: number} = {}
): Tree {
  const links = {madeFor: (number: number) => below[number] ?? []}
  const hasFailed = (number: number): boolean => failed.includes(number)
  return layTree([1], {links, kindOf: () => 'GET /', hasFailed, asked, maxRows})
}

const from = (first: number, count: number): readonly number[] => Array.from({length: count}, (_, at) => first + at)

const shown = ({rows}: Tree): readonly string[] =>
  rows.map(({number, depth, alike}) => `${depth}:${number}${alike.length > 1 ? ` x${alike.length}` : ''}`)

t.test('each before those that were made for it; the failure began at the deepest one', async t => {
  const tree = laid({1: [2, 5], 2: [3, 4], 5: [6]}, {failed: [1, 5, 6]})
  t.same(shown(tree), ['0:1', '1:2', '2:3', '2:4', '1:5', '2:6'])
  t.match(tree, {failedAt: 6, leftOut: 0})
  t.equal(laid({1: [2]}).failedAt, undefined)
})

t.test('five thousand alike are eleven rows; what failed, was asked for or has more below is alone', async t => {
  const tree = laid({1: from(2, 5000), 4000: [9000]}, {failed: [3000], asked: 2500})
  t.same(shown(tree), [
    '0:1',
    ...from(2, 10).map(number => `1:${number}`),
    `1:12 x${5000 - 10 - 3}`,
    '1:2500',
    '1:3000',
    '1:4000',
    '2:9000'
  ])
  t.match(tree, {failedAt: 3000, leftOut: 0})
})

t.test('of too many rows the first are left, and those that lead to what was asked for and to the failure', async t => {
  const chain = Object.fromEntries(from(1, 50).map(number => [number, [number + 1, 100 + number]]))
  const tree = laid(chain, {failed: [140], asked: 130, maxRows: 5})
  const rows = tree.rows.map(({number}) => number)
  t.ok(rows.includes(140) && rows.includes(130) && rows.includes(39))
  t.equal(rows.length + tree.leftOut, 101)
  t.equal(tree.failedAt, 140)
})
