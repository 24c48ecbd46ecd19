import t from 'tap'
import type {ApiContext, ApiRequest} from '../../../../src/observe/api/route.ts'
import {serveReplays} from '../../../../src/observe/api/replays.ts'
import {isoTime} from '../../../../src/observe/api/call-view.ts'
import {callsOf} from '../../../../src/observe/replay/window.ts'
import {CallRecorder, type RecordedCall} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {wallTime} from '../../../../src/platform/wall-time.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

t.test('a window without an end has the calls that were made before the clock was set back', async t => {
  const recorder = new CallRecorder(() => 1000)
  const call = aCall({path: '/x'})
  const request = aRequest(call)
  const startedAt = performance.now()
  wallTime.note(startedAt)
  recorder.started(call, request, startedAt)
  recorder.ended(aRecord({call, request, startedAt}))
  const sent: number[] = []
  const tryReplay = async ({number}: RecordedCall) => {
    sent.push(number)
    throw new Error('sent')
  }
  const context = {recorder, masked: () => [], replays: async () => ({replayer: {tryReplay}, pins: {}})}
  const {now} = Date
  t.teardown(() => (Date.now = now))
  Date.now = () => now() - 3_600_000
  const asked = {body: '{"window": {"q": "to:stock"}}', gone: new AbortController().signal, response: {}}
  await t.rejects(serveReplays(context as unknown as ApiContext, asked as unknown as ApiRequest), {message: 'sent'})
  t.same(sent, [1])
})

const shownAt = (startedAt: number): number => Date.parse(isoTime(startedAt))

t.test('a window has the calls that began at the times of its ends, as these are shown', async t => {
  const recorder = new CallRecorder(() => 1000)
  const request = {...aRequest(), method: 'GET', path: '/x', lines: ''}
  for (const startedAt of [100.25, 200.5, 300.75]) {
    const call = aCall({path: '/x'})
    recorder.started(call, request, startedAt)
    recorder.ended(aRecord({call, request, startedAt}))
  }
  const numbersIn = (from: number, to: number): readonly number[] =>
    callsOf(recorder, {from: {time: shownAt(from)}, to: {time: shownAt(to)}, q: ''}).map(({number}) => number)
  t.same(numbersIn(100.25, 300.75), [1, 2, 3])
  t.same(numbersIn(200.5, 200.5), [2])
  t.same(numbersIn(101.25, 299.75), [2])
})
