import t from 'tap'
import {sampleCalls} from '../../../../../src/observe/api/events/call-samples.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

t.test('who reads one app is told how many calls of this app ended besides', async t => {
  const recorder = new CallRecorder(() => 0)
  const ended: number[] = []
  recorder.onEnded(number => ended.push(number))
  for (let count = 0; count < 900; count++) {
    const call = aCall({callee: count % 3 === 0 ? 'stock' : 'prices'})
    const request = aRequest(call)
    recorder.started(call, request, 0)
    recorder.ended(aRecord({call, request}))
  }
  const sample = sampleCalls(recorder, ended, {app: 'stock', masking: new Masking()})
  t.match([sample.calls.length, sample.notShown], [200, 100])
  t.match(sampleCalls(recorder, ended, {app: '', masking: new Masking()}).notShown, 700)
})
