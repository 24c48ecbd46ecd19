import t from 'tap'
import {isBase64} from '../../../src/model/bytes.ts'

t.test('base64 is told from other texts', async t => {
  const whole = ['', 'QQ==', 'QUI=', 'QUJD', '+/+/']
  for (const text of whole) t.ok(isBase64(text), text)
  const others = ['QQ', 'QQ=', 'Q===', '====', 'QUJD=', 'QUJDQ===', 'Q Q=', 'Q=Q=', '-_-_', 'QUJ\u0144']
  for (const text of others) t.notOk(isBase64(text), text)
})

t.test('how long it is does not matter', async t => {
  t.ok(isBase64('QUJD'.repeat(10_000_000)))
  t.notOk(isBase64('QUJD'.repeat(10_000_000) + '!'))
})
