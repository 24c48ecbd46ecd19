import t from 'tap'
import {recordedCall} from '../../../src/api/calls.ts'
import type {Call} from '../../../src/model/call.ts'
import {CallRecorder} from '../../../src/telemetry/recorder/call-recorder.ts'

t.test('a call that is no longer kept, or was never made, is said in one line', t => {
  const recorder = new CallRecorder({bodyBytesOf: () => 100, lines: 4, tapeBytes: 4096})
  t.throws(() => recordedCall(recorder, 1), {status: 404, message: 'there is no call 1: the latest call is number 0'})
  for (let i = 0; i < 6; i++) {
    const call: Call = {caller: 'shop', callee: 'stock', method: 'GET', path: '/'}
    const request = {method: 'GET', path: '/', lines: ''}
    recorder.started(call, request, 0)
    const times = {startedAt: 0, admittedAt: 0, connectedAt: 0, firstByteAt: 0, endedAt: 0}
    recorder.ended({
      call,
      request,
      status: 200,
      attempts: 1,
      ...times,
      requestBytes: 0,
      responseBytes: 0,
      trace: '',
      failure: ''
    })
  }
  t.throws(() => recordedCall(recorder, 2), {status: 404, message: /^there is no call 2: it is no longer kept/})
  t.equal(recordedCall(recorder, 3).number, 3)
  t.end()
})
