import t from 'tap'
import type {Call} from '../../../../src/model/api.generated.ts'
import {detailOf} from '../../../../src/observe/api/call-view.ts'
import {callTable, callText} from '../../../../src/clients/cli/call-table.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

/** What `calls NUMBER` shows of an answer. */
function shown(type: string, body: string): string {
  const recorder = new CallRecorder(() => 1000, 4, 4096)
  const call = aCall()
  const request = {...aRequest(), method: 'GET', path: '/', target: '/', lines: ''}
  recorder.started(call, request, 0)
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n\r\n`
  recorder.responded(call, {text: head, size: head.length}, '')
  recorder.text(call, 'response', body)
  recorder.ended(aRecord({call, request, responseBytes: body.length}))
  const recorded = recorder.call(1)
  if (recorded === undefined) throw new Error('the call is not kept')
  return callText(detailOf(recorded, new Masking()))
}

t.test('a text without names is shown as it is, and that nothing in it is masked', async t => {
  const note = '(neither JSON nor a form: nothing in it is masked)\n'
  t.ok(shown('text/plain', 'password is hunter2').endsWith(`\npassword is hunter2\n${note}`))
  t.ok(shown('application/json', '{"password":"hunter2"}').endsWith('\n{"password":"<masked, 7 characters>"}\n'))
  t.ok(shown('application/x-www-form-urlencoded', 'pin=12').endsWith('\npin=<masked, 2 characters>\n'))
  t.notMatch(shown('application/octet-stream', '\0'), note, 'bytes are not shown')
})

t.test('a table of calls keeps the status on 40 columns, and has a cause only where it can be read', async t => {
  const ends = {from: 'orders', to: 'stock', protocol: 'gRPC', calleeProtocol: 'gRPC', at: '2026-01-31T14:46:45.977Z'}
  const request = {number: 4711, method: 'POST', path: '/shop.Stock/Reserve', isKept: true, waitedMs: 0, totalMs: 12}
  const end = {status: 5, marks: ['grpc', 'fault'], isFailed: true, failure: 'no item of this name is in stock'}
  const row = {...ends, ...request, ...end} as unknown as Call
  const lineAt = (width: number): string => callTable([row], width).split('\n')[1] ?? ''
  t.match(lineAt(40), /^4711 {2}orders → .*gRPC 5/)
  t.match(lineAt(80), / fault$/)
  t.match(lineAt(140), / fault, no item of this name is in stock$/)
})
