import t from 'tap'
import {otherNames, eventNames} from '../../../../../src/observe/api/trace/traces-of.ts'

const envelope = (data: string, more = ''): Buffer =>
  Buffer.from(
    `{"data":${data},"datacontenttype":"application/json","id":"e-\\"1","pubsubname":"bus","source":"shop","specversion":"1.0"${more}}`
  )

t.test('id and source of an event, not those that its data have', async t => {
  t.same(eventNames(envelope('1')), {event: 'e-"1', publisher: 'shop'})
  const data = '{"id":"7","pubsubname":"x","source":"evil","specversion":"1.0"}'
  t.same(eventNames(envelope(`{"a":1,${data.slice(1)}`)), {event: 'e-"1', publisher: 'shop'})
  t.same(eventNames(envelope(JSON.stringify('x'.repeat(100_000)))), {event: 'e-"1', publisher: 'shop'})
})

t.test('an envelope of another writer is read as a whole; what is cut off, or none, has no names', async t => {
  t.equal(eventNames(Buffer.from('{"source":"shop","id":"7","z":{}}')), undefined)
  t.same(otherNames(Buffer.from('{"source":"shop","id":"7","z":{}}')), {event: '7', publisher: 'shop'})
  const broken = '{"data":1,"id":"\\q","pubsubname":"bus","source":"shop","specversion":"1.0"}'
  for (const text of [broken, '{"id":7}', '[]', 'null', '', envelope('1').toString().slice(0, 60)]) {
    t.equal(eventNames(Buffer.from(text)), undefined)
    t.same(otherNames(Buffer.from(text)), {})
  }
})
