import t from 'tap'
import {Pins} from '../../../../src/observe/replay/pins.ts'
import type {Replay} from '../../../../src/observe/replay/replayer.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {openSidecar, type Answer, type FakeSidecar} from './sidecar.ts'
import {aDeath} from '../../../rig/made-call.ts'

const GET = 'GET /items HTTP/1.1\r\nHost: x\r\n\r\n'
const {signal} = new AbortController()

interface Pinned extends FakeSidecar {
  readonly pins: Pins
  /** The next round after a save. */
  readonly round: () => Promise<readonly Replay[]>
}

async function openPins(test: Parameters<typeof openSidecar>[0], answer: Answer): Promise<Pinned> {
  const sidecar = await openSidecar(test, answer)
  const rounds: (readonly Replay[])[] = []
  const waiting: ((replays: readonly Replay[]) => void)[] = []
  const pins = new Pins(sidecar.replayer, (_round, replays) => {
    const next = waiting.shift()
    if (next === undefined) rounds.push(replays)
    else next(replays)
  })
  return {...sidecar, pins, round: async () => rounds.shift() ?? new Promise(resolve => waiting.push(resolve))}
}

t.test('each answer is compared with the one before; a call is pinned once', async t => {
  let [count, price] = [0, 1]
  const {pins, made, round} = await openPins(t, () => ({body: JSON.stringify({at: ++count, price})}))
  const call = made(GET, '', '{"at":0,"price":1}')
  const pin = await pins.add(call, signal)
  t.equal(await pins.add(call, signal), pin)
  t.equal(count, 2, 'sent twice')
  t.same([...(pin.noise ?? [])], ['at'])
  t.match(pins.all[0]?.results, [{round: 1, replay: {comparison: {count: 0, leftOut: ['at']}}}])
  price = 2
  pins.saved('stock', ['a.js'])
  t.match(await round(), [{comparison: {differences: [{path: 'price', before: '1', after: '2'}]}}])
  pins.saved('stock', ['a.js'])
  t.match(await round(), [{comparison: {count: 0}}], 'that is known now')
  for (const {replay} of pins.all[0]?.results ?? [])
    t.same([replay.call, replay.before.body.length, replay.after?.body.length], [pin.call, 0, 0], 'no bytes pile up')
  t.match(pins.rounds, [{kind: 'pinned'}, {kind: 'saved', app: 'stock', files: ['a.js']}, {}])
})

t.test('saves that come meanwhile share a round', async t => {
  const waiting: (() => void)[] = []
  const {pins, made, round} = await openPins(t, async request => {
    if (request.method === 'HEAD') await new Promise<void>(resolve => waiting.push(resolve))
    return {body: request.method === 'HEAD' ? '' : '{}'}
  })
  const pinning = pins.add(made('HEAD /items HTTP/1.1\r\nHost: x\r\n\r\n', '', ''), signal)
  const next = async (): Promise<void> => {
    while (waiting.length === 0) await new Promise(setImmediate)
    waiting.shift()?.()
  }
  await next()
  pins.saved('stock', ['a.js'])
  pins.saved('stock', ['b.js', 'a.js'])
  await next()
  await pinning
  await next()
  t.match(await round(), [{after: {status: 200}}])
  t.match(pins.rounds, [{kind: 'pinned'}, {kind: 'saved', files: ['a.js', 'b.js']}])
  t.equal(pins.rounds.length, 2)
})

t.test('a request that was inside at two ends is not sent by itself, until it is answered by hand', async t => {
  const {pins, made, round, deaths, heads} = await openPins(t, () => ({}))
  const call = made(GET)
  const die = (): number => deaths.add(aDeath({app: 'stock', inside: [{number: call.number, forMs: 1}]})).number
  die()
  await pins.add(call, signal)
  t.equal(heads.length, 0, 'not sent when it is pinned')
  die()
  pins.saved('stock', ['a.js'])
  t.match(await round(), [{after: undefined, refusal: {message: /stock ended 2 times with this request inside/}}])
  t.equal(heads.length, 0)
  await pins.sendAll({isUnsafe: false, isByItself: false, signal})
  pins.saved('stock', ['a.js'])
  t.match(await round(), [{after: {status: 200}}])
  die()
  die()
  pins.saved('stock', ['a.js'])
  t.match(await round(), [{after: undefined}])
})

t.test('limits: 50 calls, 2 MiB; what is wrong is said', async t => {
  const {pins, made, replayer} = await openPins(t, () => ({}))
  const explanation = 'Give the number of one to pillion replay --pin.'
  await t.rejects(pins.sendAll({isUnsafe: false, isByItself: false, signal}), {
    message: 'no call is pinned',
    explanation
  })
  t.equal(new Masking().text(explanation), explanation, 'the API takes no word of it for a secret')
  const post = (body = ''): ReturnType<typeof made> => made('POST /items HTTP/1.1\r\nHost: x\r\n\r\n', body)
  for (let i = 0; i < 50; i++) await pins.add(post(), signal)
  await t.rejects(pins.add(post(), signal), {message: '50 calls are pinned already', explanation: /Unpin one/})
  t.equal(pins.remove(1), true)
  t.equal(pins.remove(1), false)
  await pins.add(post(), signal)
  const others = new Pins(replayer, () => undefined)
  for (let i = 0; i < 20; i++) await others.add(post('x'.repeat(100_000)), signal)
  await t.rejects(others.add(post('x'.repeat(100_000)), signal), {message: 'the pinned calls have more than 2 MiB'})
})
