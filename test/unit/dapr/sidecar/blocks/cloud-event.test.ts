import t from 'tap'
import {hasExpired} from '../../../../../src/dapr/sidecar/blocks/cloud-event.ts'

t.test('an event has expired by a time of RFC 3339 alone: other texts are an attribute of its sender', async t => {
  t.equal(hasExpired({expiration: '2020-01-01T00:00:00Z'}), true)
  t.equal(hasExpired({expiration: '9999-12-31T23:59:59+01:00'}), false)
  for (const expiration of ['', '5', '2020', '2020-01-01', '1 day', 5, null, undefined])
    t.equal(hasExpired({expiration}), false, String(expiration))
})
