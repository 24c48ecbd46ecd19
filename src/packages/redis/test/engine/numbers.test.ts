import t from 'tap'
import {addFloating, bisect, clampRange, parseFloating} from '../../engine/numbers.ts'
import {RedisError} from '../../engine/result.ts'

t.test('floating point numbers are read as by Redis', async t => {
  const cases: readonly (readonly [text: string, value: number | undefined])[] = [
    ['1', 1],
    ['-1.', -1],
    ['+.5e1', 5],
    ['1.50', 1.5],
    ['-inf', -Infinity],
    ['Infinity', Infinity],
    ['.', undefined],
    ['1e', undefined],
    ['0x1', undefined],
    ['nan', undefined],
    ['', undefined]
  ]
  for (const [text, value] of cases) t.equal(parseFloating(text), value, text)
})

t.test('a text of a million digits is looked at once', async t => {
  const digits = '0'.repeat(1_000_000)
  t.equal(parseFloating(digits), 0)
  t.equal(parseFloating(`${digits}x`), undefined)
})

t.test('small sums are not zero', async t => {
  t.equal(addFloating('0', '1e-7'), '0.0000001')
  t.equal(addFloating('1e-10', '2.5e-10'), '0.00000000035')
  t.equal(addFloating('0', '-1e-20'), '0')
  t.equal(addFloating('0.1', '0.2'), '0.3')
  t.equal(addFloating('1e21', '0'), '1000000000000000000000')
})

t.test('sums are exact, also beyond the integers of a double', async t => {
  t.equal(addFloating('9007199254740993', '1'), '9007199254740994')
  t.equal(addFloating('9007199254740993.5', '-.25'), '9007199254740993.25')
  t.equal(addFloating('-18014398509481985', '+2.e0'), '-18014398509481983')
  t.equal(addFloating('0e999999999', '1e-999999999'), '0')
  for (const text of ['inf', '1e5000', `0.${'1'.repeat(6000)}`, 'x'])
    t.throws(() => addFloating('1', text), RedisError, text)
})

t.test('a range that ends before its beginning is empty, however far from the end that is counted', async t => {
  const all = ['a', 'b', 'c', 'd', 'e']
  const within = (start: number, stop: number): string => all.slice(...clampRange(start, stop, all.length)).join('')
  const cases: readonly (readonly [start: number, stop: number, found: string])[] = [
    [0, -1, 'abcde'],
    [-2, -1, 'de'],
    [0, -5, 'a'],
    [0, -6, ''],
    [0, -8, ''],
    [-9, -8, ''],
    [2, -8, ''],
    [3, 9, 'de'],
    [7, 9, '']
  ]
  for (const [start, stop, found] of cases) t.equal(within(start, stop), found, `${start} ${stop}`)
})

const words = (left: string, right: string): string => {
  try {
    return addFloating(left, right)
  } catch (error) {
    return (error as Error).message
  }
}

t.test('sums may be larger than a double, and are read again', async t => {
  const large = addFloating('1.7e308', '1.7e308')
  t.equal(large, `34${'0'.repeat(307)}`)
  t.equal(addFloating(large, `-${large}`), '0')
  t.equal(addFloating('1e4931', '1').length, 4932)
  t.equal(words('1', '1e999999999'), 'ERR value is not a valid float')
  t.equal(words('1', '-inf'), 'ERR increment would produce NaN or Infinity')
  t.equal(words('9e4931', '9e4931'), 'ERR increment would produce NaN or Infinity')
})

t.test('a place among many is found with few looks', async t => {
  const sorted = Array.from({length: 1000}, (_, at) => at * 2)
  for (const [wanted, head, place] of [
    [-1, 0, 0],
    [0, 0, 0],
    [700, 0, 350],
    [701, 0, 351],
    [1998, 0, 999],
    [1999, 0, 1000],
    [4, 10, 10]
  ] as const) {
    let looks = 0
    t.equal(
      bisect(sorted, each => ++looks > 0 && each < wanted, head),
      place
    )
    t.ok(looks <= 10, `${looks} looks`)
  }
  t.equal(
    bisect([], () => true),
    0
  )
})
