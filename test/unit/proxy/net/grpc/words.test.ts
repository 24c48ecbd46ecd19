import t from 'tap'
import {MessageGauge} from '../../../../../src/proxy/net/grpc/message-gauge.ts'
import {
  encodeBinary,
  escapeMessage,
  statusFrom,
  percentDecoded,
  trailersOf
} from '../../../../../src/proxy/net/grpc/status.ts'
import {timeoutMs, timeoutText} from '../../../../../src/proxy/net/grpc/head-fields.ts'

t.test('a timeout has at most 8 digits and a unit', async t => {
  for (const [text, ms] of [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['0m', 0],
    ['250m', 250],
    ['1500u', 1.5],
    ['99999999n', 99.999999]
  ] as const)
    t.equal(timeoutMs(text)?.toFixed(6), ms.toFixed(6), text)
  for (const text of ['', '5', 'soon', '123456789S', '-1S', '1s', '1.5S', ' 1S'])
    t.equal(timeoutMs(text), undefined, text)
  for (const ms of [0, 0.25, 10, 99_999, 1e8, 1e10]) {
    t.match(timeoutText(ms), /^\d{1,8}[umS]$/)
    t.ok(Math.abs((timeoutMs(timeoutText(ms)) ?? 0) - ms) <= 1000, ms.toString())
  }
  t.equal(timeoutText(-5), '0u')
})

t.test('messages travel percent-encoded, by their bytes', async t => {
  t.equal(escapeMessage('plain ~ text'), 'plain ~ text')
  t.equal(escapeMessage('50% of ü\r\n'), '50%25 of %C3%BC%0D%0A')
  t.equal(escapeMessage('\ud800'), '%EF%BF%BD')
  // HTTP/2 has no value with a space at an end: some clients drop it, and the message with it
  t.equal(escapeMessage('  from the app:  '), '%20 from the app: %20')
  t.equal(escapeMessage(' '), '%20')
  t.equal(percentDecoded('50%25 of %C3%BC%0D%0A'), '50% of ü\r\n')
  t.equal(percentDecoded('100% %zz'), '100% %zz')
})

t.test('a code that a text names', async t => {
  t.strictSame(statusFrom('rpc error: code = PermissionDenied desc = no', 2), {code: 7, message: 'no'})
  t.strictSame(statusFrom('rpc error: code = Odd desc = no', 2), {code: 2, message: 'rpc error: code = Odd desc = no'})
  t.strictSame(statusFrom('other', 14), {code: 14, message: 'other'})
})

const message = (size: number): string => `\0\0\0${String.fromCharCode(size >> 8, size & 255)}${'x'.repeat(size)}`

t.test('messages are followed however they are cut', async t => {
  const text = message(3) + message(0) + message(300)
  for (let cut = 0; cut <= text.length; cut++) {
    const gauge = new MessageGauge(300)
    t.equal(gauge.measure(text.slice(0, cut)), 0)
    t.equal(gauge.measure(text.slice(cut)), 0)
    t.equal(gauge.count, 3)
    t.equal(gauge.isWithin, false)
  }
  const byByte = new MessageGauge(299)
  t.equal(Math.max(...Array.from(text, byte => byByte.measure(byte))), 300)
  t.equal(new MessageGauge(100).measure('\0\xff\xff\xff\xff'), 0xff_ff_ff_ff)
  t.equal(new MessageGauge(0).measure('\0\xff\xff\xff\xff'), 0)
})

t.test('text and details of a status fit into a head that clients of Java take, as they travel', async t => {
  for (const letter of ['x', 'é', '错', '%', 'x ', 'é '])
    for (const count of [1000, 3000, 4096, 100_000]) {
      const message = letter.repeat(count)
      const details = Buffer.from(message).toString('latin1')
      const fields = trailersOf({code: 2, message, details})
      t.ok(fields.length < 8000, `${count} of ${letter}`)
      const [, sent = ''] = /grpc-message..?.?([ -~]*)/s.exec(fields) ?? []
      t.notMatch(sent, /%.?$| $/, 'cut behind a whole byte, and no space')
    }
})

t.test('details of a status have the room that its text leaves', async t => {
  const details = 'd'.repeat(4096)
  const sent = encodeBinary('grpc-status-details-bin', details)
  t.ok(trailersOf({code: 3, message: 'x', details}).includes(sent))
  t.notOk(trailersOf({code: 3, message: 'x'.repeat(3800), details}).includes(sent))
})
