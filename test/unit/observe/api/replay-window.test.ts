import t from 'tap'
import type {ApiContext, ApiRequest} from '../../../../src/observe/api/route.ts'
import {serveReplays} from '../../../../src/observe/api/replays.ts'
import {CallRecorder, type RecordedCall} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {wallTime} from '../../../../src/platform/wall-time.ts'

t.test('a window without an end has the calls that were made before the clock was set back', async t => {
  const recorder = new CallRecorder(() => 1000)
  const request = {method: 'GET', path: '/x', lines: ''}
  const call = {caller: 'shop', callee: 'stock', method: 'GET', path: '/x'}
  const startedAt = performance.now()
  wallTime.note(startedAt)
  recorder.started(call, request, startedAt)
  recorder.ended(Object.assign(new CallJournal(call, request, undefined, undefined), {status: 200, startedAt}))
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
