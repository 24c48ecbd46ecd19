/** What `test/integration/dapr/sidecar/http2-apps.test.ts` does with two codes of an error, with all of them, and what only many calls show. */
import t from 'tap'
import {
  BEHIND_TRAILERS,
  brokenWith,
  isSeen,
  isSeenOverHttp2,
  refuseTrailers
} from '../integration/dapr/sidecar/http2-ways.ts'
import {onBothPaths} from '../integration/dapr/sidecar/rig.ts'

const WAYS = brokenWith([...Array.from({length: 14}, (_, code) => code), 255, 0xff_ff_ff_ff])

onBothPaths('an app of HTTP/2 that breaks off its answer with any code: the caller sees it', async t => isSeen(t, WAYS))

t.test('an app of HTTP/2 that breaks off its answer with any code: a caller of HTTP/2 sees it', async t =>
  isSeenOverHttp2(t, WAYS)
)

for (const [what, ending] of BEHIND_TRAILERS)
  t.test(`an app whose trailers are refused, many times, with ${what} behind: node does not abort`, async t =>
    refuseTrailers(t, ending, 20)
  )
