import t from 'tap'
import {detailOf} from '../../../../src/observe/api/call-view.ts'
import {callText} from '../../../../src/clients/cli/call-table.ts'
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

t.test('a text without names is shown as it is, and that nothing in it is masked', t => {
  const note = '(neither JSON nor a form: nothing in it is masked)\n'
  t.ok(shown('text/plain', 'password is hunter2').endsWith(`\npassword is hunter2\n${note}`))
  t.ok(shown('application/json', '{"password":"hunter2"}').endsWith('\n{"password":"<masked, 7 characters>"}\n'))
  t.ok(shown('application/x-www-form-urlencoded', 'pin=12').endsWith('\npin=<masked, 2 characters>\n'))
  t.notMatch(shown('application/octet-stream', '\0'), note, 'bytes are not shown')
  t.end()
})
