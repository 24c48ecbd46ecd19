import {brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync} from 'node:zlib'
import t from 'tap'
import {oneCall, recordedCall} from '../../../../src/observe/api/calls.ts'
import type {Message} from '../../../../src/model/api.generated.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

t.test('a call that is no longer kept, or was never made, is said in one line', async t => {
  const recorder = new CallRecorder(() => 100, 4, 4096)
  t.throws(() => recordedCall(recorder, 1), {status: 404, message: 'there is no call 1: the latest call is number 0'})
  for (let i = 0; i < 6; i++) {
    const call = aCall()
    const request = aRequest(call)
    recorder.started(call, request, 0)
    recorder.ended(aRecord({call, request}))
  }
  t.throws(() => recordedCall(recorder, 2), {status: 404, message: /^there is no call 2: it is no longer kept/})
  t.equal(recordedCall(recorder, 3).number, 3)
})

t.test('a text that was cut within a character is shown as text', async t => {
  const recorder = new CallRecorder(() => 4)
  const bodyOf = (body: Buffer): Pick<Message, 'body' | 'encoding'> => {
    const call = aCall({method: 'POST'})
    recorder.started(call, aRequest(call), 0)
    recorder.bytes(call, 'request', body, 0, body.length)
    const {request} = oneCall(recorder, recorder.last, new Masking())
    return {body: request.body, encoding: request.encoding}
  }
  t.same(bodyOf(Buffer.from('ab€de')), {body: 'ab', encoding: 'utf8'})
  t.same(bodyOf(Buffer.from('a€')), {body: 'a€', encoding: 'utf8'})
  t.same(bodyOf(Buffer.from('a€').subarray(0, 3)), {body: 'YeKC', encoding: 'base64'}, 'whole, and no text')
  t.same(bodyOf(Buffer.from([0xff, 0xfe, 0x61, 0xe2, 0x82])), {body: '//5h4g==', encoding: 'base64'})
})

/** The response of a call as it is shown. */
const shown = (coding: string, body: Buffer<ArrayBuffer>, kept?: number): Message =>
  oneCall(answered(`content-type: application/json\r\ncontent-encoding: ${coding}`, body, kept), 1, new Masking())
    .response

/** A recorder with one call that was answered so. */
function answered(head: string, body = Buffer.alloc(0), bodyBytes = 100_000): CallRecorder {
  const recorder = new CallRecorder(() => bodyBytes)
  const path = '/v1.0-alpha1/conversation/llm/converse'
  const call = aCall({path})
  recorder.started(call, aRequest(call), 0)
  const text = `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`
  recorder.responded(call, {text, size: text.length})
  recorder.bytes(call, 'response', body, 0, body.length)
  return recorder
}

t.test('what is secret in a compressed body is masked, also in one that was cut', async t => {
  const json = JSON.stringify({items: Array.from({length: 200}, (_, id) => ({id})), token: 'S3cr3t'})
  for (const [coding, body] of [
    ['gzip', gzipSync(json)],
    ['X-Gzip', gzipSync(json)],
    ['br', brotliCompressSync(json)],
    ['deflate', deflateRawSync(json)],
    ['zstd', zstdCompressSync(json)]
  ] as const) {
    const {body: text, encoding} = shown(coding, body)
    t.equal(encoding, 'utf8', coding)
    t.match(text, /"token":"<masked, 6 characters>"/, coding)
  }
  const noisy = JSON.stringify({token: 'S3cr3t', more: Array.from({length: 500}, (_, n) => (n * 7919) % 1009)})
  const cut = shown('gzip', gzipSync(noisy), 300)
  t.equal(cut.encoding, 'utf8')
  t.match(cut.body, /^\{"token":"<masked, 6 characters>","more":\[0,/)
  t.equal(shown('gzip', Buffer.from('{"token":1}')).encoding, 'utf8', 'it is not compressed')
  t.equal(shown('gzip, br', gzipSync(json)).encoding, 'base64', 'two codings')
  // a block of zstd is read as a whole
  t.match(shown('zstd', zstdCompressSync(noisy), 300), {encoding: 'base64', body: /^KLUv/})
  t.match(shown('br', Buffer.from('ok')), {encoding: 'utf8', body: 'ok'}, 'it is not compressed')
})

t.test('a header of an app that looks like ours for models is none', async t => {
  const {model} = oneCall(answered('pillion-model: %;1+1=2;%E0;%'), 1, new Masking())
  t.equal(model, undefined)
})
