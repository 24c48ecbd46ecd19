import t from 'tap'
import {matches} from '../../../../src/redis/engine/pattern.ts'

t.test('patterns match as in Redis', async t => {
  const cases: readonly (readonly [pattern: string, text: string, isMatch: boolean])[] = [
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['**a**b', 'xaxb', true],
    ['h[ae', 'he', true],
    ['.', 'a', false],
    ['', '', true],
    ['', 'a', false]
  ]
  for (const [pattern, text, isMatch] of cases) t.equal(matches(pattern, text), isMatch, `${pattern} ${text}`)
})

t.test('a pattern of many stars is refused in no time', async t => {
  t.equal(matches('a*'.repeat(50) + 'b', 'a'.repeat(10_000)), false)
})
