import t from 'tap'
import type {Difference} from '../../../../src/model/api.generated.ts'
import {type CallAnswer, compare, noiseOf} from '../../../../src/observe/replay/compare.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'

const masking = new Masking(['x-customer'])

const answer = (body: string | Buffer, more: Partial<CallAnswer> = {}): CallAnswer => {
  const bytes = Buffer.from(body)
  return {
    status: 200,
    type: 'application/json',
    body: bytes,
    bytes: bytes.length,
    isWhole: true,
    isStream: false,
    ms: 5,
    failure: '',
    ...more
  }
}

const differences = (before: CallAnswer, after: CallAnswer): readonly (readonly string[])[] =>
  compare(before, after, new Set(), masking).differences.map(texts)
const texts = ({what, path, before, after}: Difference): readonly string[] => [what, path, before, after]

t.test('JSON is compared by its fields, whatever their order and the blanks between them', async t => {
  t.same(differences(answer('{"a":1,"b":[1,2]}'), answer('{ "b": [1, 2], "a": 1 }')), [])
  t.same(
    differences(
      answer('{"order":{"total":12.5,"items":[{"id":1}]}}'),
      answer('{"order":{"total":25,"currency":"EUR","items":[]}}')
    ),
    [
      ['body', 'order.total', '12.5', '25'],
      ['body', 'order.items.0', '{"id":1}', ''],
      ['body', 'order.currency', '', '"EUR"']
    ]
  )
  t.same(
    differences(
      answer('{"id":12345678901234567890,"n":1e30,"token":[1]}'),
      answer('{"id":12345678901234567891,"n":1.0e30}')
    ),
    [
      ['body', 'id', '12345678901234567890', '12345678901234567891'],
      ['body', 'token', '<masked, 3 characters>', '']
    ]
  )
  t.same(differences(answer('1'), answer('[2]')), [['body', '', '1', '[2]']])
  t.same(differences(answer('{"a":null}'), answer('{}')), [['body', 'a', 'null', '']])
})

t.test('other text is compared by lines, anything else as a whole', async t => {
  const text = {type: 'text/plain'}
  t.same(differences(answer('one\ntwo\nthree\n', text), answer('one\n2\nthree\nfour\n', text)), [
    ['body', 'line 2', 'two', '2'],
    ['body', 'line 4', '', 'four']
  ])
  t.same(differences(answer('one', text), answer('', text)), [['body', 'line 1', 'one', '']])
  t.same(differences(answer('one\ntwo', text), answer('one\n\ntwo', text)), [['body', 'line 2', '', '(blank line)']])
  t.same(differences(answer(Buffer.from([0, 255, 1]), text), answer(Buffer.from([0, 255]), text)), [
    ['body', '', '3 bytes', '2 bytes']
  ])
  t.same(
    differences(answer('{"a":1}', {isWhole: false, bytes: 20_000}), answer('{"a":1}', {isWhole: false, bytes: 20_001})),
    [['body', '', '20000 bytes, kept in part', '20001 bytes, kept in part']]
  )
})

t.test('status, media type, and a time beyond fivefold', async t => {
  t.same(differences(answer('{}', {status: 500, type: 'text/html', ms: 2900}), answer('{}', {ms: 100})), [
    ['status', '', '500', '200'],
    ['type', '', 'text/html', 'application/json'],
    ['time', '', '2900 ms', '100 ms']
  ])
  t.same(differences(answer('{}', {ms: 400}), answer('{}', {ms: 100})), [], 'not fivefold')
  t.same(differences(answer('{}', {ms: 900}), answer('{}', {ms: 1})), [], 'fivefold, and both are short')
  t.same(differences(answer('', {status: 0}), answer('')), [['status', '', 'no response', '200']])
})

t.test('what differs each time is left out: fields, in lists at any place; lines; all of it', async t => {
  const at = (time: number, price: number): CallAnswer => answer(JSON.stringify({at: time, items: [{id: time, price}]}))
  const noise = noiseOf(at(1, 5), at(2, 5), masking)
  t.same([...noise], ['at', 'items.*.id'])
  const {differences: found, count, leftOut} = compare(at(2, 5), at(3, 6), noise, masking)
  t.same([found.map(texts), count, leftOut], [[['body', 'items.0.price', '5', '6']], 1, ['at', 'items.*.id']])
  const text = {type: 'text/plain'}
  const lines = noiseOf(answer('at 1\nsame', text), answer('at 2\nsame', text), masking)
  t.same(compare(answer('at 2\nsame', text), answer('at 3\nother', text), lines, masking).differences.map(texts), [
    ['body', 'line 2', 'same', 'other']
  ])
  const whole = noiseOf(answer(Buffer.from([0, 1])), answer(Buffer.from([0, 2])), masking)
  t.same(compare(answer('{"a":1}'), answer('{"a":2}'), whole, masking).count, 0)
})

t.test('secrets differ without being shown', async t => {
  const secret = (token: string, customer: string): CallAnswer =>
    answer(JSON.stringify({user: {token, name: 'x'}, 'x-customer': {id: customer}}))
  t.same(differences(secret('abc', 'one'), secret('abd', 'two')), [
    ['body', 'user.token', '<masked, 5 characters>', '<masked, 5 characters>'],
    ['body', 'x-customer.id', '<masked, 5 characters>', '<masked, 5 characters>']
  ])
  const added = differences(answer('{}'), answer('{"user":{"password":"secret"}}'))
  t.same(added, [['body', 'user', '', '{"password":"<masked, 6 characters>"}']])
  const setting = (value: string): CallAnswer =>
    answer(JSON.stringify({env: [{name: 'DB_PASSWORD', value}], tokens: [1]}))
  t.same(
    differences(setting('hunter22'), setting('hunter33')),
    [['body', 'env.0.value', '<masked, 10 characters>', '<masked, 10 characters>']],
    'what is next to a value says that it is secret'
  )
  t.same(
    differences(answer('{"tokens":[12345]}'), answer('{"tokens":[12346]}')),
    [['body', 'tokens.0', '<masked, 5 characters>', '<masked, 5 characters>']],
    'or what it is in'
  )
  const form = {type: 'application/x-www-form-urlencoded'}
  t.same(differences(answer('a=1&password=one', form), answer('a=1&password=two', form)), [
    ['body', '', '16 bytes', '16 bytes']
  ])
})

const manyLines = (from: number): string =>
  Array.from({length: 60_000}, (_, at) => (at * 7 + from).toString()).join('\n')

t.test('hostile bodies cost little and end nothing', async t => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  t.equal(differences(answer(deep), answer(`${deep} `)).length, 1, 'nested too deeply to be compared by fields')
  t.same(differences(answer(manyLines(0), {type: 'text/plain'}), answer(manyLines(3), {type: 'text/plain'})).length, 1)
  const proto = differences(
    answer('{"__proto__":{"a":1},"constructor":2}'),
    answer('{"__proto__":{"a":2},"constructor":2}')
  )
  t.same(proto, [['body', '__proto__.a', '1', '2']])
  const many = JSON.stringify(Array.from({length: 1000}, (_, at) => at))
  const {differences: shown, count} = compare(
    answer(many),
    answer(many.replaceAll(/(\d+)/g, '1$1')),
    new Set(),
    masking
  )
  t.strictSame([shown.length, count], [50, 1000])
})

t.test('a field may have the name of something that every object has', async t => {
  t.same(differences(answer('{"a":[{}]}'), answer('{"a":[{"constructor":"red","toString":1}]}')), [
    ['body', 'a.0.constructor', '', '"red"'],
    ['body', 'a.0.toString', '', '1']
  ])
  t.same(differences(answer('{"constructor":1,"__proto__":2}'), answer('{}')), [
    ['body', 'constructor', '1', ''],
    ['body', '__proto__', '2', '']
  ])
})
