import t from 'tap'
import {withoutPersonalData} from '../../../../../src/dapr/components/conversation/personal-data.ts'

t.test('personal data gives way to Dapr’s placeholders', async t => {
  for (const [text, sent] of [
    ['write to jane.doe+x@mail.example.com.', 'write to <EMAIL_ADDRESS>.'],
    ['call +1 555 123 4567 now', 'call <PHONE_NUMBER> now'],
    ['call (555) 123-4567, or 555.123.4567', 'call <PHONE_NUMBER>, or <PHONE_NUMBER>'],
    ['card 4111 1111 1111 1111!', 'card <CREDIT_CARD>!'],
    ['4111-1111-1111-1111', '<CREDIT_CARD>'],
    ['ssn 123-45-6789', 'ssn <US_SSN>'],
    ['at 192.168.1.10 it is', 'at <IP> it is'],
    ['fe80::1ff:fe23:4567:890a up', '<IP> up'],
    ['at ::1 and 2001:db8::8a2e:370:7334', 'at <IP> and <IP>'],
    ['lives at 123 Main Street, Springfield', 'lives at <STREET_ADDRESS> Springfield'],
    ['zip 90210', 'zip <ZIP_CODE>'],
    ['PO Box 1234', '<PO_BOX>'],
    ['00:1b:44:11:3a:b7', '<MAC_ADDRESS>'],
    ['GB82 WEST 1234 5698 7654 32', '<IBAN>'],
    ['DE89370400440532013000', '<IBAN>'],
    ['978-3-16-148410-0', '<ISBN>'],
    ['order 12345678', 'order <PHONE_NUMBER>'],
    ['jane@example.com bob@example.com', '<EMAIL_ADDRESS> <EMAIL_ADDRESS>']
  ] as const)
    t.equal(withoutPersonalData(text), sent, text)
})

t.test('what is none stays, and so do links', async t => {
  for (const text of [
    '',
    'hello world',
    'in 2024 at 12:30:45',
    'https://example.com/a?b=1234567 and git@github.com:dapr/dapr.git',
    'http://192.168.1.10:8080/x',
    'version 1.18.3 of std::vector, 999.1.1.1',
    'a @ b, 3 of 45678901234567890123'
  ])
    t.equal(withoutPersonalData(text), text)
})

t.test('long texts of any kind take no longer than their length', async t => {
  for (const piece of [
    'a',
    '1',
    '1 ',
    '1.',
    'a@',
    ':',
    'ab:',
    '12 Main ',
    'GB12 ',
    '97',
    '(',
    '+1-',
    'http://',
    'x.',
    'http://a.bc 12345 '
  ])
    t.ok(withoutPersonalData(piece.repeat(40_000)).length > 0, piece)
})
