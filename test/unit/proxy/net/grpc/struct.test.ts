import {fromBinary, toJson} from '@bufbuild/protobuf'
import {StructSchema} from '@bufbuild/protobuf/wkt'
import t from 'tap'
import {structOf, valueBytes, valueIn} from '../../../../../src/proxy/net/grpc/struct.ts'

t.test('objects of JSON become Structs', async t => {
  for (const object of [
    {},
    {text: 'pear', empty: '', number: -1.5, zero: 0, yes: true, no: false, nothing: null},
    {list: [1, 'a', [], {}, [null]], deep: {deeper: {n: 7}}, '': 'no name', ä: '€'}
  ])
    t.same(toJson(StructSchema, fromBinary(StructSchema, structOf(object))), object)
  t.same(
    toJson(StructSchema, fromBinary(StructSchema, structOf({a: undefined, b: 1}))),
    {b: 1},
    'undefined is left out'
  )
})

t.test('a key named __proto__ is a key', async t => {
  const json = '{"__proto__":{"x":1},"a":{"__proto__":2,"constructor":3}}'
  t.equal(JSON.stringify(valueIn(valueBytes(JSON.parse(json)))), json)
})

t.test('what was written is read again', async t => {
  for (const value of [null, 0, '', false, [], {}, {nothing: null, list: [null, 0, [null]], deep: {nothing: null}}])
    t.strictSame(valueIn(valueBytes(value)), value)
})
