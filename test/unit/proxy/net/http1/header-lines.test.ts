import t from 'tap'
import {headersByName, pairsOf, trimmed} from '../../../../../src/proxy/net/http1/header-lines.ts'
import {isOf, lengthOf, nameReader, PATH, QUERY, TOKEN, VALUE} from '../../../../../src/proxy/net/http1/header-kinds.ts'
import {withoutHeaders, wordsOf} from '../../../../../src/proxy/net/http1/header-lines.ts'

const classOf = (characters: string, classes: number): string =>
  characters
    .split('')
    .filter(character => isOf(character.charCodeAt(0), classes))
    .join('')

t.test('bytes are classified', async t => {
  t.equal(classOf('aZ09-_~:(,/ \t\0\x7f\x80', TOKEN), 'aZ09-_~')
  t.equal(classOf('a \t\0\r\n\x7f\x80\xff', VALUE), 'a \t\x80\xff')
  t.equal(classOf('aZ09-._~!$&\'()*+,;=:@/%?#[]"\\ \x80', PATH), "aZ09-._~!$&'()*+,;=:@/")
  t.equal(classOf('a%?&=" \x01#\x7f\x80\xff', QUERY), 'a%?&="\x80\xff')
  t.equal(isOf(Number.NaN, TOKEN | VALUE | PATH | QUERY), false)
})

t.test('a length has only digits', async t => {
  t.strictSame(['0', '13', '999999999999999'].map(lengthOf), [0, 13, 999_999_999_999_999])
  const none = ['', '+1', '-1', '1.0', '1e3', '0x1', ' 1', '1 ', '1,1', '1000000000000000']
  t.strictSame(
    none.map(lengthOf),
    none.map(() => -1)
  )
})

t.test('names are looked up in place, ignoring case', async t => {
  const kinds = nameReader({host: 3, 'x-a': 4})
  t.equal(kinds('..HoSt..', 2, 6), 3)
  t.equal(kinds('..HoSt..', 1, 6), 0)
  t.equal(kinds('X-A', 0, 3), 4)
  t.equal(kinds('x'.repeat(100), 0, 100), 0)
})

t.test('spaces and tabs around a value are removed, other bytes stay', async t => {
  t.equal(trimmed(' \ta b\t '), 'a b')
  t.equal(trimmed('\xa0a\xa0'), '\xa0a\xa0')
  t.equal(trimmed('xx a xx', 2, 5), 'a')
  t.equal(trimmed('   '), '')
  t.strictSame(wordsOf('Keep-Alive,  X-A ,,\tb'), ['keep-alive', 'x-a', 'b'])
})

t.test('lines are converted to pairs, and headers are removed', async t => {
  const lines = 'A: 1\r\nb:2\r\nC: x:y\r\nD:\r\n'
  t.strictSame(pairsOf(lines), ['A', '1', 'b', '2', 'C', 'x:y', 'D', ''])
  t.strictSame(pairsOf(''), [])
  t.equal(withoutHeaders(lines, ['a', 'd']), 'b:2\r\nC: x:y\r\n')
})

const lower = (name: string): string => name.toLowerCase()

t.test('headers by their names: those of a repeated one are a list, however many there are', async t => {
  t.same(Object.entries(headersByName(['A', '1', 'b', '2', 'a', '3', '__proto__', '4'], lower)), [
    ['a', ['1', '3']],
    ['b', '2'],
    ['__proto__', '4']
  ])
  const many = Array.from({length: 200_000}, () => 'a')
  t.equal(headersByName(many, lower)['a']?.length, 100_000)
})
