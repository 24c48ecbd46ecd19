import t from 'tap'
import type {Call} from '../../../../../src/model/call.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths, type Ended} from '../../../../../src/observe/telemetry/recorder/deaths.ts'

/** A recorder with one call under way for each of these bodies. */
function inside(recorder: CallRecorder, bodies: readonly string[]): Ended['inside'] {
  return bodies.map(body => {
    const call: Call = {caller: 'shop', callee: 'stock', method: 'POST', path: '/charge'}
    recorder.started(call, {method: 'POST', path: '/charge', lines: ''}, 1000)
    recorder.admitted(call, 7, 0)
    recorder.bytes(call, 'request', Buffer.from(body), 0, body.length)
    return {number: call.number ?? 0, forMs: 10}
  })
}

const ended = (more: Partial<Ended> = {}): Ended => ({
  app: 'stock',
  name: 'stock',
  exit: {kind: 'code', code: 1},
  at: 0,
  livedMs: 5,
  files: [],
  inside: [],
  lines: async () => Promise.resolve([]),
  ...more
})

t.test('the request that was inside before comes first', t => {
  const recorder = new CallRecorder({bodyBytesOf: () => 1000})
  const deaths = new Deaths(recorder)
  t.equal(deaths.add(ended({inside: inside(recorder, ['null', 'a'])})), 1)
  t.equal(deaths.add(ended({app: 'other', name: 'other', inside: inside(recorder, ['b'])})), 2)
  t.equal(deaths.add(ended({inside: inside(recorder, ['b', 'null'])})), 3)
  t.equal(deaths.add(ended({inside: inside(recorder, ['b', 'null'])})), 4)
  const timesOf = (number: number): unknown => deaths.get(number)?.inside.map(({times}) => times)
  t.same([1, 2, 3, 4].map(timesOf), [[0, 0], [0], [1, 0], [2, 1]])
  t.same(
    deaths.all('stock').map(({number, earlier}) => [number, earlier]),
    [
      [1, 0],
      [3, 1],
      [4, 2]
    ]
  )
  t.end()
})

t.test('of an app the last twenty ends are kept, and of all a bounded number of bytes', t => {
  const recorder = new CallRecorder({bodyBytesOf: () => 200_000})
  const deaths = new Deaths(recorder)
  const body = 'x'.repeat(150_000)
  for (let count = 0; count < 30; count++) deaths.add(ended({inside: inside(recorder, [body])}))
  const kept = deaths.all('stock')
  t.equal(kept.length, 20)
  t.equal(kept.at(-1)?.number, 30)
  const bytes = kept
    .flatMap(death => death.inside.flatMap(({call}) => call.pieces))
    .reduce((sum, each) => sum + each.bytes.length, 0)
  t.ok(bytes > 1_000_000 && bytes <= 2 * 1024 * 1024, bytes.toString())
  t.match(kept.at(-1)?.inside, [{times: 5}], 'the request is known, whether its bytes are kept or not')
  t.end()
})
