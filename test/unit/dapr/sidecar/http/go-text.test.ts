import t from 'tap'
import {goJson, goQuote} from '../../../../../src/dapr/sidecar/http/go-text.ts'
import {decoded} from '../../../../../src/model/bytes.ts'

t.test('bytes are read as UTF-8', async t => {
  t.equal(decoded('abc'), 'abc')
  t.equal(decoded('t\xc3\xbc'), 'tü')
  t.equal(decoded('\xff'), '\ufffd')
})

t.test('JSON escapes what Go escapes', async t => {
  t.equal(goJson({a: '<b>&\u2028\u2029"\\\n\u0001é'}), '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029\\"\\\\\\n\\u0001é"}')
})

t.test('quotes escape what Go escapes', async t => {
  t.equal(goQuote('a"\\\n\r\t\0\x1b\x7fé'), '"a\\"\\\\\\n\\r\\t\\x00\\x1b\\x7fé"')
  t.equal(goQuote('\x85'), '"\\u0085"')
})
