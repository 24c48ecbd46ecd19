import t from 'tap'
import {describeCallCycle} from '../../../../src/run/edits/call-cycle.ts'

const callers = (calls: readonly (readonly [from: string, to: string])[]): Map<string, Set<string>> => {
  const map = new Map<string, Set<string>>()
  for (const id of calls.flat()) map.set(id, new Set())
  for (const [from, to] of calls) map.get(to)?.add(from)
  return map
}

t.test('who waits for whom in a circle is named', async t => {
  t.equal(
    describeCallCycle(
      'b',
      'a',
      callers([
        ['a', 'b'],
        ['b', 'a']
      ])
    ),
    '; the apps wait for each other: "a" → "b" → "a"'
  )
  t.equal(
    describeCallCycle(
      'c',
      'a',
      callers([
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
        ['x', 'a']
      ])
    ),
    '; the apps wait for each other: "a" → "b" → "c" → "a"'
  )
  t.equal(describeCallCycle('a', 'a', callers([['a', 'a']])), '; the call came through its own sidecar')
})

t.test('one who just waits is not told of circles', async t => {
  t.equal(
    describeCallCycle(
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
