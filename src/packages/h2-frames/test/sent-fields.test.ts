import t from 'tap'
import {encodeField} from '../field-text.ts'
import {FieldWalker} from '../field-walker.ts'
import {SentFields} from '../sent-fields.ts'

/** The peer: it keeps its table as RFC 7541 says. */
const reader = (): ((block: string) => readonly string[]) => {
  const walker = new FieldWalker()
  return block => {
    const fields: string[] = []
    walker.walk(block, {field: field => fields.push(`${field.name}: ${field.value()}`)})
    return fields
  }
}

const HEAD = `\u0083\u0086${encodeField(':path', '/a.B/C')}${encodeField('x-name', 'value')}`
const HEAD_FIELDS = [':method: POST', ':scheme: http', ':path: /a.B/C', 'x-name: value']
const OWN = encodeField('trace', '1')

t.test('fields that come again are named by their place, and mean the same', async t => {
  const [sent, read] = [new SentFields(), reader()]
  t.same(read(sent.encode(HEAD, OWN)), [...HEAD_FIELDS, 'trace: 1'])
  for (let time = 0; time < 3; time++) {
    const block = sent.encode(HEAD, OWN)
    t.equal(block.length, 4 + OWN.length)
    t.same(read(block), [...HEAD_FIELDS, 'trace: 1'])
  }
})

t.test('places move when fields are added: each block is right after each other one', async t => {
  const [sent, read] = [new SentFields(), reader()]
  const blocks = Array.from({length: 10}, (_, at) => HEAD + encodeField('x-number', at.toString()))
  for (let round = 0; round < 50; round++) {
    const at = (round * 7) % 10
    t.same(read(sent.encode(blocks[at] ?? '', OWN)), [...HEAD_FIELDS, `x-number: ${at}`, 'trace: 1'])
  }
})

t.test('what has no room in the table, and further blocks, go out as they are', async t => {
  const [sent, read] = [new SentFields(), reader()]
  for (let round = 0; round < 3; round++)
    for (let at = 0; at < 100; at++) {
      const value = at.toString().repeat(100)
      t.same(read(sent.encode(HEAD + encodeField('x-long', value), '')), [...HEAD_FIELDS, `x-long: ${value}`])
    }
})

t.test('a secret is in no table', async t => {
  const [sent, read] = [new SentFields(), reader()]
  const secret = `\u0010${encodeField('authorization', 'x').slice(1)}`
  for (let round = 0; round < 3; round++) {
    const block = sent.encode(HEAD + secret, '')
    t.ok(block.endsWith(secret))
    t.same(read(block), [...HEAD_FIELDS, 'authorization: x'])
  }
})

t.test('a peer whose table is smaller gets none, and is told so once', async t => {
  for (const size of [0, 4095]) {
    const [sent, read] = [new SentFields(), reader()]
    sent.encode(HEAD, OWN)
    sent.limit(size)
    t.equal(sent.encode('', OWN), `\u0020${OWN}`)
    t.equal(sent.encode(HEAD, OWN), HEAD + OWN)
    t.same(read(sent.encode(HEAD, OWN)), [...HEAD_FIELDS, 'trace: 1'])
    sent.limit(65_536)
    t.equal(sent.encode(HEAD, ''), HEAD)
  }
  const larger = new SentFields()
  larger.limit(65_536)
  t.equal(larger.encode('', OWN), OWN)
})
