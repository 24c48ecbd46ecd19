import t from 'tap'
import {matches, matching} from '../../engine/pattern.ts'

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

t.test('a pattern that would keep everybody waiting is an error', async t => {
  const fault = {message: 'ERR pattern takes too long to match, use fewer wildcards'}
  const long = 'a'.repeat(200_000)
  t.throws(() => matches(`*[${'b'.repeat(100_000)}`, long), fault, 'a long class')
  t.throws(() => matches(`*${'a'.repeat(100_000)}b`, long), fault, 'a long way to the character that differs')
  t.throws(
    () =>
      matching(
        Array.from({length: 100_000}, () => 'a'.repeat(100)),
        `*${'a'.repeat(50)}b`
      ),
    fault,
    'many keys'
  )
  t.same(matching(['ab', 'b'], 'a*'), ['ab'])
})

t.test('what a plain search for a word costs is never an error', async t => {
  const keys = Array.from({length: 500_000}, (_, at) => `order||${at}`)
  t.equal(matching(keys, '*||*[1-3]9?').length, 15_000)
})
