import {gzipSync} from 'node:zlib'
import t from 'tap'
import type {Call, CallRecord} from '../../../../../src/model/call.ts'
import {httpFileExporter} from '../../../../../src/observe/api/export/http-file.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'

/** The request of a call in a file; the body is latin1. */
function requestText(type: string, body: string, path = '/x', keptBytes = 1e6): string {
  const recorder = new CallRecorder(() => keptBytes, 64, 2 * 1024 * 1024)
  const call: Call = {caller: 'shop', callee: 'stock', method: 'POST', path}
  const lines = `Content-Type: ${type}\r\n`
  recorder.started(call, {method: 'POST', path, target: path, lines}, 1000)
  recorder.text(call, 'request', body)
  const record: Partial<CallRecord> = {call, status: 200, attempts: 1, requestBytes: body.length, responseBytes: 0}
  recorder.ended({
    ...record,
    startedAt: 0,
    admittedAt: 0,
    connectedAt: 0,
    firstByteAt: 0,
    endedAt: 1,
    trace: '',
    failure: ''
  } as CallRecord)
  const recorded = recorder.call(1)
  return (recorded && httpFileExporter({masked: [], placeOf: () => '127.0.0.1:7', now: 3000}).text(recorded)) ?? ''
}

/** The body of a request in a file. */
function written(type: string, body: string): string {
  const [head = '', ...parts] = requestText(type, body).split('\n\n')
  return head.includes('the body is left out') ? 'left out' : parts.join('\n\n')
}

t.test('a body is there unless an editor would change it', async t => {
  t.equal(written('text/plain', 'a\nb'), 'a\nb\n')
  for (const text of ['a\n# b', 'a\n  // b', '<x>', 'a\n\t> b', '@a', 'a\n?b', '&', 'a\n--b', 'a\n \nb', 'a {{b}}'])
    t.equal(written('text/plain', text), 'left out', text)
  t.equal(written('application/json', '{\n  "a": {\n    "b":   1}\n}'), '{ "a": { "b":   1} }\n')
  t.equal(written('application/json', '{"a": "{{b}}"}'), String.raw`{"a": "{\u007bb}}"}` + '\n')
})

t.test('white space without an end takes no longer than it is long', async t => {
  t.equal(written('text/plain', `${'\n'.repeat(500_000)}x`), 'left out')
  t.equal(written('application/json', `{"a":${' '.repeat(500_000)}1}`).length, 500_008)
})

t.test('a compressed body is written as it was before, and its secrets are variables', async t => {
  const body = gzipSync('{"token":"S3cr3t"}').toString('latin1')
  const text = requestText('application/json\r\nContent-Encoding: gzip', body)
  t.match(text, /\n\n\{"token":"\{\{TOKEN\}\}"\}\n$/)
  t.notMatch(text, /encoding/i)
})

t.test('a question to a language model is not there, and how it is asked again is said', async t => {
  const said = '{"inputs":[]}'
  t.match(
    requestText('application/json', said, '/v1.0-alpha2/conversation/llm/converse'),
    /\n# no request: what is said to a language model stays in the run: pillion replay 1 --unsafe asks it again\n$/
  )
  t.match(
    requestText('application/json', said, '/v1.0-alpha2/conversation/llm/converse', 5),
    /\n# no request: its body is kept in part only: record.body [^\n]+\n$/
  )
  t.match(requestText('application/json', said, '/v1.0/invoke/stock/method/conversation/llm/converse'), said)
})

t.test('a body in which nothing is masked is said to be so', async t => {
  const note = /\n# the body is neither JSON nor a form: nothing in it is masked\n/
  t.match(requestText('multipart/form-data; boundary=x', '--x\r\nname="password"\r\n\r\nS3cr3t'), note)
  t.match(requestText('text/plain', 'password=S3cr3t'), note)
  for (const [type, body] of [
    ['application/json', '{"password":"S3cr3t"}'],
    ['text/plain', '']
  ] as const)
    t.notMatch(requestText(type, body), /nothing in it/)
})

t.test('two secrets of one name in a call are two variables, equal ones are one', async t => {
  const body = '[{"password":"a"},{"password":"b"},{"password":"a"}]'
  const text = '[{"password":"{{PASSWORD}}"},{"password":"{{PASSWORD__2}}"},{"password":"{{PASSWORD}}"}]\n'
  t.equal(written('application/json', body), text)
})
