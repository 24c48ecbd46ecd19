import t from 'tap'
import {cloudEventOf} from '../../../../../../src/dapr/sidecar/grpc/blocks/topic-event.ts'
import {parseEvent} from '../../../../../../src/dapr/sidecar/blocks/cloud-event.ts'

const dataOf = (text: string): string => {
  const body = Buffer.from(text)
  return Buffer.from(cloudEventOf({fields: parseEvent(body), body, metadata: {}}).data).toString()
}

t.test('data in JSON keeps its text, wherever it stands in the envelope', async t => {
  const type = '"datacontenttype":"application/json"'
  for (const [envelope, data] of [
    [`{"data":{"n":1},${type}}`, '{"n":1}'],
    [`{${type},"data":{"n":1}}`, '{"n":1}'],
    [`{"data":{ "n" : 1 },${type}}`, '{"n":1}'],
    [`{"data":1.0,${type}}`, '1.0'],
    [`{"data":12345678901234567890,${type}}`, '12345678901234567890'],
    [`{"data":"\\u0061",${type}}`, '"\\u0061"'],
    [`{"data":1,${type},"data":1.0}`, '1.0'],
    [`{"data":1,${type},"d\\u0061ta":1.0}`, '1.0'],
    [`{"data":1,${type},"other":{"data":1.0}}`, '1'],
    [`{"data":1}`, '1']
  ] as const)
    t.equal(dataOf(envelope), data, envelope)
})

t.test('what has no field of its own is in the extensions', async t => {
  const body = Buffer.from('{"data":1,"id":"a","topic":"orders"}')
  const {id, extensions} = cloudEventOf({fields: parseEvent(body), body, metadata: {}})
  t.equal(id, 'a')
  t.match(Buffer.from(extensions).toString('latin1'), 'topic')
  t.notMatch(Buffer.from(extensions).toString('latin1'), 'data')
})
