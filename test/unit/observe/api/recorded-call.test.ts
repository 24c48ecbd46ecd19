import t from 'tap'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {oneCall, recordedCall} from '../../../../src/observe/api/calls.ts'
import type {Message} from '../../../../src/model/api.generated.ts'
import type {Call} from '../../../../src/model/call.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'

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

t.test('a text that was cut within a character is shown as text', t => {
  const recorder = new CallRecorder(() => 4)
  const bodyOf = (body: Buffer): Pick<Message, 'body' | 'encoding'> => {
    const call: Call = {caller: 'shop', callee: 'stock', method: 'POST', path: '/'}
    recorder.started(call, {method: 'POST', path: '/', lines: ''}, 0)
    recorder.bytes(call, 'request', body, 0, body.length)
    const {request} = oneCall(recorder, recorder.last, new Masking())
    return {body: request.body, encoding: request.encoding}
  }
  t.same(bodyOf(Buffer.from('ab€de')), {body: 'ab', encoding: 'utf8'})
  t.same(bodyOf(Buffer.from('a€')), {body: 'a€', encoding: 'utf8'})
  t.same(bodyOf(Buffer.from('a€').subarray(0, 3)), {body: 'YeKC', encoding: 'base64'}, 'whole, and no text')
  t.same(bodyOf(Buffer.from([0xff, 0xfe, 0x61, 0xe2, 0x82])), {body: '//5h4g==', encoding: 'base64'})
  t.end()
})
