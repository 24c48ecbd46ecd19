import t from 'tap'
import {starPattern} from '../../../src/model/name-pattern.ts'

t.test('a star stands for any text, and for none', async t => {
  const table: readonly (readonly [pattern: string, text: string, isMatch: boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['*', 'a\nb', true],
    ['a*', 'a', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'axbbxc', true],
    ['a*b*b', 'ab', false],
    ['a*bc*c', 'abc', false],
    ['**a**', 'xax', true],
    ['[a].*', '[a].b', true],
    ['a.*', 'abc', false]
  ]
  for (const [pattern, text, isMatch] of table) t.equal(starPattern(pattern)(text), isMatch, `${pattern} ${text}`)
})

t.test('many stars do not backtrack', async t => {
  t.notOk(starPattern('*a'.repeat(20) + '*b')('a'.repeat(5000)))
  t.ok(starPattern('*a'.repeat(20) + '*')('a'.repeat(5000)))
})
