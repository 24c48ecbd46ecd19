import t from 'tap'
import {envelopeOf, hasExpired} from '../../../../../src/dapr/sidecar/blocks/cloud-event.ts'

t.test('an event has expired by a time of RFC 3339 alone: other texts are an attribute of its sender', async t => {
  t.equal(hasExpired({expiration: '2020-01-01T00:00:00Z'}), true)
  t.equal(hasExpired({expiration: '9999-12-31T23:59:59+01:00'}), false)
  for (const expiration of ['', '5', '2020', '2020-01-01', '1 day', 5, null, undefined])
    t.equal(hasExpired({expiration}), false, String(expiration))
})

t.test('a trace in the metadata of an event replaces that of the call, in both; traceparent counts first', async t => {
  const own = {traceparent: 'own', tracestate: ''}
  const traceOf = (metadata: Record<string, string>): readonly unknown[] => {
    const publication = {pubsubName: 'bus', topic: 't', data: Buffer.from('x'), contentType: 'text/plain'}
    const {text} = envelopeOf({...publication, metadata, trace: own}, 'shop')
    const {traceid, traceparent} = JSON.parse(text) as Record<string, unknown>
    return [traceid, traceparent]
  }
  t.same(traceOf({}), ['own', 'own'])
  t.same(traceOf({'cloudevent.traceid': 'a'}), ['a', 'a'])
  t.same(traceOf({'CloudEvent.TraceParent': 'b'}), ['b', 'b'])
  t.same(traceOf({'cloudevent.traceid': 'a', 'cloudevent.traceparent': 'b'}), ['b', 'b'])
})
