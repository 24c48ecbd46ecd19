import t from 'tap'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths, type Ended} from '../../../../../src/observe/telemetry/recorder/deaths.ts'
import {aCall, aDeath, aRecord, aRequest} from '../../../../rig/made-call.ts'

/** A recorder with one call under way for each of these bodies. */
function inside(recorder: CallRecorder, bodies: readonly string[]): Ended['inside'] {
  return bodies.map(body => {
    const call = aCall({method: 'POST', path: '/charge'})
    recorder.started(call, aRequest(call), 1000)
    recorder.admitted(call, {pid: 7, protocol: 'HTTP/1.1'}, 0)
    recorder.bytes(call, 'request', Buffer.from(body), 0, body.length)
    return {number: call.number ?? 0, forMs: 10}
  })
}

const ended = (more: Parameters<typeof aDeath>[0] = {}): Ended => aDeath({app: 'stock', ...more})

t.test('the request that was inside before comes first', async t => {
  const recorder = new CallRecorder(() => 1000)
  const deaths = new Deaths(recorder)
  t.equal(deaths.add(ended({inside: inside(recorder, ['null', 'a'])})).number, 1)
  t.equal(deaths.add(ended({app: 'other', name: 'other', inside: inside(recorder, ['b'])})).number, 2)
  t.equal(deaths.add(ended({inside: inside(recorder, ['b', 'null'])})).number, 3)
  t.equal(deaths.add(ended({inside: inside(recorder, ['b', 'null'])})).number, 4)
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
})

t.test('of an app the last twenty ends are kept, and of all a bounded number of bytes', async t => {
  const recorder = new CallRecorder(() => 200_000)
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
})

t.test('equal calls of one caller are one row with their number; the request that began last comes first', async t => {
  const recorder = new CallRecorder(() => 1000)
  const deaths = new Deaths(recorder)
  const many = inside(
    recorder,
    Array.from({length: 300}, () => 'hang')
  ).map(({number}, at) => ({number, forMs: 2000 - at}))
  const [killer = {number: 0}] = inside(recorder, ['exit'])
  const death = deaths.add(ended({inside: [...many, {number: killer.number, forMs: 1650}]}))
  t.same(
    death.inside.map(({call, forMs, count}) => [call.number, forMs, count]),
    [
      [killer.number, 1650, 1],
      [many[0]?.number, 2000, 300]
    ],
    'also if some of the others are younger'
  )
})

t.test('a request like one that was just answered comes after those of which none was', async t => {
  const recorder = new CallRecorder(() => 1000)
  const deaths = new Deaths(recorder)
  const call = aCall({method: 'POST', path: '/charge'})
  const request = aRequest(call)
  recorder.started(call, request, 1000)
  recorder.bytes(call, 'request', Buffer.from('usual'), 0, 5)
  const times = {startedAt: 1000, admittedAt: 1000, connectedAt: 1000, firstByteAt: 1001, endedAt: 1001}
  recorder.ended(aRecord({call, request, requestBytes: 5, ...times}))
  const [usual, other] = inside(recorder, ['usual', 'other'])
  const death = deaths.add(
    ended({
      inside: [
        {number: usual?.number ?? 0, forMs: 5},
        {number: other?.number ?? 0, forMs: 50}
      ]
    })
  )
  t.same(
    death.inside.map(each => each.call.number),
    [other?.number, usual?.number]
  )
})

t.test('of an end with more bytes than are kept, those of the likeliest causes are', async t => {
  const recorder = new CallRecorder(() => 200_000)
  const deaths = new Deaths(recorder)
  const bodies = Array.from({length: 20}, (_, at) => `${at}`.padEnd(150_000, 'x'))
  deaths.add(ended({inside: inside(recorder, bodies)}))
  deaths.add(ended({inside: inside(recorder, ['a'])}))
  const [first, second] = deaths.all('stock').map(death => death.inside.map(({call}) => call.pieces.length > 0))
  t.same(second, [true])
  t.same(
    first?.slice(0, 13),
    Array.from({length: 13}, () => true)
  )
  t.same(
    first?.slice(14),
    Array.from({length: 6}, () => false)
  )
})

t.test('a process has answered its own calls, not those of other instances, and a shadow its copies', async t => {
  const recorder = new CallRecorder(() => 1000)
  const deaths = new Deaths(recorder)
  const request = {...aRequest(), method: 'GET', path: '/', lines: ''}
  for (const [callee, pid] of [
    ['stock', 7],
    ['stock', 8],
    ['stock@2.0.0', 9],
    ['stock', 0],
    ['other', 7]
  ] as const) {
    const call = aCall({callee})
    const journal = new CallJournal(call, request, recorder, undefined)
    journal.begun()
    journal.admitted(true, {pid: pid, protocol: 'HTTP/1.1'}, undefined)
    journal.status = 200
    journal.ended()
  }
  const answered = (more: Partial<Ended>): unknown => deaths.add(ended(more)).finished.map(({number}) => number)
  t.same(answered({pid: 7}), [4, 1], 'it is not known who has answered the one')
  t.same(answered({pid: 8}), [4, 2])
  t.same(answered({pid: 9, version: '2.0.0'}), [4, 3])
  t.same(answered({}), [4, 2, 1])
})
