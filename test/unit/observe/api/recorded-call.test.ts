import t from 'tap'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {recordedCall} from '../../../../src/observe/api/calls.ts'
import type {Call} from '../../../../src/model/call.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'

t.test('a call that is no longer kept, or was never made, is said in one line', t => {
  const recorder = new CallRecorder(() => 100, 4, 4096)
  t.throws(() => recordedCall(recorder, 1), {status: 404, message: 'there is no call 1: the latest call is number 0'})
  for (let i = 0; i < 6; i++) {
    const call: Call = {caller: 'shop', callee: 'stock', method: 'GET', path: '/'}
    const request = {method: 'GET', path: '/', lines: ''}
    recorder.started(call, request, 0)
    const journal = new CallJournal(call, request, undefined, undefined)
    recorder.ended(Object.assign(journal, {status: 200, attempts: 1}))
  }
  t.throws(() => recordedCall(recorder, 2), {status: 404, message: /^there is no call 2: it is no longer kept/})
  t.equal(recordedCall(recorder, 3).number, 3)
  t.end()
})
