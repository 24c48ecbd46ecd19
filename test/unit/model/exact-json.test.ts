import t from 'tap'
import {exactText, parseExactly} from '../../../src/model/exact-json.ts'

t.test('whole numbers that JavaScript would round stay as they are written', async t => {
  const text = '{"id":12345678901234567890,"low":-9007199254740993,"few":[3,0.5],"none":null}'
  t.equal(exactText(parseExactly(text)), text)
  t.strictSame(parseExactly('[9007199254740991,9007199254740993,1e30,2.0]'), [
    9_007_199_254_740_991,
    9_007_199_254_740_993n,
    1e30,
    2
  ])
  t.throws(() => parseExactly('{"id":}'), SyntaxError)
})

t.test('what has no such number is read and written however deeply it is nested', async t => {
  const text = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`
  t.equal(exactText(parseExactly(text)), text)
})
