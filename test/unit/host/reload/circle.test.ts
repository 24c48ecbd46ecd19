import t from 'tap'
import {circleWords} from '../../../../src/host/reload/circle.ts'

const callers = (calls: readonly (readonly [from: string, to: string])[]): Map<string, Set<string>> => {
  const map = new Map<string, Set<string>>()
  for (const id of calls.flat()) map.set(id, new Set())
  for (const [from, to] of calls) map.get(to)?.add(from)
  return map
}

t.test('who waits for whom in a circle is named', async t => {
  t.equal(
    circleWords(
      'b',
      'a',
      callers([
        ['a', 'b'],
        ['b', 'a']
      ])
    ),
    '; they wait for each other in a circle: "a" → "b" → "a"'
  )
  t.equal(
    circleWords(
      'c',
      'a',
      callers([
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
        ['x', 'a']
      ])
    ),
    '; they wait for each other in a circle: "a" → "b" → "c" → "a"'
  )
  t.match(circleWords('a', 'a', callers([['a', 'a']])), /"a" → "a"$/)
})

t.test('one who just waits is not told of circles', async t => {
  t.equal(
    circleWords(
      'shop',
      'a',
      callers([
        ['shop', 'a'],
        ['a', 'b']
      ])
    ),
    ''
  )
})
