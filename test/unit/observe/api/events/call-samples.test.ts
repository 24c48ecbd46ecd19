import t from 'tap'
import type {Call} from '../../../../../src/model/call.ts'
import {sampleCalls} from '../../../../../src/observe/api/events/call-samples.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'

t.test('who reads one app is told how many calls of this app ended besides', async t => {
  const recorder = new CallRecorder(() => 0)
  const ended: number[] = []
  recorder.onEnded(number => ended.push(number))
  for (let count = 0; count < 900; count++) {
    const call: Call = {caller: 'shop', callee: count % 3 === 0 ? 'stock' : 'prices', method: 'GET', path: '/'}
    const request = {method: 'GET', path: '/', lines: ''}
    recorder.started(call, request, 0)
    recorder.ended(Object.assign(new CallJournal(call, request, undefined, undefined), {status: 200, attempts: 1}))
  }
  const sample = sampleCalls(recorder, ended, {app: 'stock', masking: new Masking()})
  t.match([sample.calls.length, sample.notShown], [200, 100])
  t.match(sampleCalls(recorder, ended, {app: '', masking: new Masking()}).notShown, 700)
})
