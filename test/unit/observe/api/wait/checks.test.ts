import t from 'tap'
import {callsCheck} from '../../../../../src/observe/api/wait/checks.ts'
import type {WaitContext} from '../../../../../src/observe/api/wait/wait-context.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import type {ExpectedReplays} from '../../../../../src/observe/telemetry/recorder/expected-replays.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

t.test('from a moment that has passed, calls that were sent again do not count, as from now on', async t => {
  const recorder = new CallRecorder(() => 100, 64, 64 * 1024)
  const make = (startedAt: number): void => {
    const call = aCall({path: '/x'})
    const request = aRequest(call)
    recorder.started(call, request, startedAt)
    recorder.ended(aRecord({call, request, startedAt, endedAt: startedAt + 1}))
  }
  const context = {recorder, apps: () => []} as unknown as WaitContext
  const standing = (count: number): unknown =>
    callsCheck(context, {kind: 'calls', text: '', from: '', to: 'stock', count}, {at: 500} as never).look(0)
  make(100)
  recorder.replays = {find: () => ({started: () => undefined})} as unknown as ExpectedReplays
  make(1000)
  recorder.replays = undefined
  t.match(standing(1), {reason: '0 of 1 calls have ended'})
  make(2000)
  t.match(standing(1), {reason: '1 calls have ended'})
})
