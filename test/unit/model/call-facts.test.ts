import t from 'tap'
import {callFacts, protocolText} from '../../../src/model/call-facts.ts'
import {detailOf} from '../../../src/observe/api/call-view.ts'
import {CallRecorder} from '../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRecord, aRequest} from '../../rig/made-call.ts'

t.test('a field without words of its own is told by its name and value', async t => {
  const recorder = new CallRecorder(() => 1000, 4, 4096)
  const call = aCall()
  recorder.started(call, aRequest(call), 0)
  recorder.admitted(call, {pid: 77, protocol: 'HTTP/2'}, 0)
  recorder.ended(aRecord({call}))
  const recorded = recorder.call(1)
  if (recorded === undefined) throw new Error('the call is not kept')
  const detail = {...detailOf(recorded, new Masking()), newField: 'seven', isNew: true, newCount: 0}
  t.strictSame(callFacts(detail), ['HTTP/1.1 → HTTP/2', 'process 77', 'new field seven', 'is new'])
  t.strictSame(callFacts(detail, new Set(['pid', 'isNew'])), ['HTTP/1.1 → HTTP/2', 'new field seven'])
})

t.test('protocols are told once where both ends have the same one, and without an end that has none', async t => {
  t.equal(protocolText({protocol: 'gRPC', calleeProtocol: 'gRPC'}), 'gRPC')
  t.equal(protocolText({protocol: 'none', calleeProtocol: 'HTTP/1.1'}), 'HTTP/1.1')
  t.equal(protocolText({protocol: 'WebSocket', calleeProtocol: 'none'}), 'WebSocket')
})
