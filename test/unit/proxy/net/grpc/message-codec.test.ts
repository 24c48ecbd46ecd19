import t from 'tap'
import {decode, DecodeError, encode} from '../../../../../src/proxy/net/grpc/message-codec.ts'

const INNER = {name: [1, 'string'], size: [2, 'int32']} as const
const ALL = {
  text: [1, 'string'],
  bytes: [2, 'bytes'],
  number: [3, 'int32'],
  flag: [4, 'bool'],
  texts: [5, 'strings'],
  map: [6, 'map'],
  one: [7, {message: INNER}],
  many: [8, {list: INNER}],
  named: [16, {mapOf: INNER}]
} as const

t.test('what is written is read again; fields that nobody knows are passed over', async t => {
  const message = {
    text: 'pear ä',
    bytes: Buffer.from([0, 255]),
    number: -3,
    flag: true,
    texts: ['a', ''],
    map: {k: 'v', empty: ''},
    one: {name: 'x', size: 7},
    many: [
      {name: 'y', size: 0},
      {name: '', size: 1}
    ],
    named: {a: {name: 'z', size: 2}}
  }
  const bytes = encode(ALL, message)
  t.match(decode(ALL, bytes), {...message, bytes: new Uint8Array([0, 255])})
  t.same(decode({flag: [4, 'bool']} as const, bytes), {flag: true})
})

t.test('absent fields are as proto3 has them, and take no bytes', async t => {
  const empty = decode(ALL, new Uint8Array(0))
  t.match(empty, {text: '', number: 0, flag: false, texts: [], map: {}, many: [], named: {}})
  t.equal(empty.one, undefined)
  t.equal(encode(ALL, empty).length, 0)
})

t.test('bytes that are no message', async t => {
  for (const bytes of [[0x0a], [0x0a, 5, 1], [0x3a, 1, 0x0a], [0x07], [0x18]])
    t.throws(() => decode(ALL, Buffer.from(bytes)), DecodeError, bytes.join(' '))
})

t.test('a message that cannot be written leaves nothing in the next one', async t => {
  const one = {text: 'pear', number: 1}
  const bytes = encode(ALL, one)
  t.throws(() => encode(ALL, {...one, number: 2 ** 40}))
  t.same(encode(ALL, one), bytes)
  const long = encode(ALL, {text: 'x'.repeat(100_000)})
  t.equal(decode(ALL, long).text.length, 100_000)
  t.same(encode(ALL, one), bytes)
})

t.test('a list of one message is not that of another', async t => {
  const bytes = encode(ALL, {texts: ['a', 'b'], many: [{name: 'y', size: 1}]})
  const [first, second] = [decode(ALL, bytes), decode(ALL, bytes)]
  t.same(first.texts, ['a', 'b'])
  t.same(second.texts, ['a', 'b'])
  t.same(decode(ALL, new Uint8Array(0)).texts, [])
  t.equal(second.many.length, 1)
})

t.test('numbers of all sizes; an optional field tells absent from empty', async t => {
  const schema = {
    small: [1, 'uint32'],
    long: [2, 'int64'],
    count: [3, 'uint64'],
    half: [4, 'float'],
    exact: [5, 'double'],
    note: [6, 'string', 'optional'],
    times: [7, 'uint32', 'optional']
  } as const
  const message = {small: 2 ** 32 - 1, long: -(2n ** 60n), count: 2n ** 63n, half: 0.5, exact: 0.1}
  t.same(decode(schema, encode(schema, message)), {...message, note: undefined, times: undefined})
  t.same(decode(schema, encode(schema, {note: '', times: 0})).note, '')
  t.equal(encode(schema, {note: '', times: 0}).length, 4)
  t.equal(encode(schema, {long: 0n, exact: 0}).length, 0)
})

t.test('a map of many entries takes no longer for each of them', async t => {
  const map = Object.fromEntries(Array.from({length: 30_000}, (_, at) => [`k${at}`, 'v']))
  const read = decode(ALL, encode(ALL, {map}))
  t.equal(Object.keys(read.map).length, 30_000)
  t.same(Object.entries(decode(ALL, encode(ALL, {map: {['__proto__']: 'v', a: 'b'}})).map), [
    ['__proto__', 'v'],
    ['a', 'b']
  ])
  t.same(decode(ALL, encode(ALL, {})).map, {}, 'and the map of the next message is its own')
})
