import t from 'tap'
import {ringsOf, risen} from '../../scripts/bounds.ts'

t.test('files that import each other in a circle are one ring', async t => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['a']],
    ['d', ['e']],
    ['e', []]
  ])
  t.strictSame(
    ringsOf(graph).map(ring => ring.toSorted()),
    [['a', 'b', 'c']]
  )
})

t.test('a figure may fall; one that rises needs a reason', async t => {
  const bounds = {figures: {files: 10, lines: 100}, raised: []}
  t.strictSame(risen({files: 10, lines: 90}, bounds), [])
  t.strictSame(risen({files: 11, lines: 90}, bounds), ['files: 11, at most 10'])
  const raise = {figure: 'files', to: 11, why: ''}
  t.strictSame(risen({files: 11, lines: 90}, {...bounds, raised: [raise]}), ['files: 11, at most 10'])
  t.strictSame(risen({files: 11, lines: 90}, {...bounds, raised: [{...raise, why: 'a new protocol'}]}), [])
})
