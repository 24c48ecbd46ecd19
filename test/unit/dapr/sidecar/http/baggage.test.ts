import t from 'tap'
import {baggageFault} from '../../../../../src/dapr/sidecar/http/baggage.ts'

t.test('baggage that Dapr accepts', async t => {
  for (const text of ['', 'a=b', ' a = b ', 'a=', 'a=b,c=d', 'a=b%20c;p;q=r; s = t', "!#$%&'*+-.^_`|~a=x"])
    t.equal(baggageFault(text), '', text)
})

t.test('and what it refuses, and why', async t => {
  const cases = {
    a: 'invalid baggage list-member: "a"',
    'a=b,': 'invalid baggage list-member: ""',
    'a b=c': 'invalid baggage list-member: "a b=c"',
    'a="b"': 'invalid baggage list-member: "a=\\"b\\""',
    'a=b;c d': 'invalid baggage list-member property: "c d"',
    'a=\x80': 'invalid baggage list-member: "a=\ufffd"'
  }
  for (const [text, expected] of Object.entries(cases)) t.equal(baggageFault(text), expected, text)
  t.equal(baggageFault(`a=${'x'.repeat(4095)}`), 'list-member too large: 4097')
  t.equal(
    baggageFault(Array.from({length: 3}, (_, at) => `a${at}=${'x'.repeat(3000)}`).join(',')),
    'baggage-string too large: 9011'
  )
  t.equal(
    baggageFault(Array.from({length: 181}, (_, at) => `a${at}=b`).join(',')),
    'too many list-members in baggage-string'
  )
  t.equal(baggageFault('a=b,'.repeat(200).slice(0, -1)), '', 'the same key counts once')
})
