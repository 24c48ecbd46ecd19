import t from 'tap'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'

const masking = new Masking()

t.test('JSON in a parameter, as it is or encoded, also twice, or within an address', t => {
  const secret = '{"filter":{"password":"s3cr3t"}}'
  const plain = '{"filter":{"code":"NOT_FOUND"}}'
  const shown = (value: string): string => masking.target(`/items?q=${value}&n=1`)
  const once = encodeURIComponent(secret)
  const twice = encodeURIComponent(once)
  for (const value of [secret, once, twice, encodeURIComponent(`/x?q=${once}`), encodeURIComponent(`[${secret}]`)])
    t.equal(shown(value), `/items?q=<masked, ${value.length} characters>&n=1`)
  const cut = encodeURIComponent(secret.slice(0, -5))
  t.notMatch(shown(cut), 's3cr3t', 'a part of it')
  for (const value of [plain, encodeURIComponent(plain)]) t.equal(shown(value), `/items?q=${value}&n=1`)
  const form = masking.body(Buffer.from(`q=${once}`), 'application/x-www-form-urlencoded').toString()
  t.equal(form, `q=<masked, ${once.length} characters>`)
  t.end()
})

// an hour, if each doubled it
t.test('addresses and JSON, each within the other, take no longer with each', t => {
  let value = '[x'
  for (let depth = 0; depth < 25; depth++) value = `[?a=${encodeURIComponent(value)}`
  const text = `/items?q=${encodeURIComponent(value)}`
  t.equal(masking.target(text), text)
  t.end()
})
