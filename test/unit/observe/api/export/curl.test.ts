import {gzipSync} from 'node:zlib'
import t from 'tap'
import {curlExporter} from '../../../../../src/observe/api/export/curl.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

/** The command for a call; the body is latin1. */
function commandFor(type: string, body: string, path = '/x', keptBytes = 1e6): string {
  const recorder = new CallRecorder(() => keptBytes, 64, 2 * 1024 * 1024)
  const call = aCall({method: 'POST', path})
  recorder.started(call, {...aRequest(), method: 'POST', path, target: path, lines: `Content-Type: ${type}\r\n`}, 1000)
  recorder.text(call, 'request', body)
  recorder.ended(aRecord({call, requestBytes: body.length}))
  const recorded = recorder.call(1)
  return (recorded && curlExporter({masked: [], placeOf: () => '127.0.0.1:7', now: 3000}).text(recorded)) ?? ''
}

t.test('a compressed body is written as it was before, and its secrets are variables', async t => {
  const body = gzipSync('{"token":"S3cr3t"}').toString('latin1')
  const text = commandFor('application/json\r\nContent-Encoding: gzip', body)
  t.match(text, /--data-raw '\{"token":"'"\$TOKEN"'"\}'\n$/)
  t.notMatch(text, /encoding/i)
})

t.test('a question to a language model is not there, and how it is asked again is said', async t => {
  const said = '{"inputs":[]}'
  t.match(
    commandFor('application/json', said, '/v1.0-alpha2/conversation/llm/converse'),
    /\n# no command: what is said to a language model stays in the run: pillion replay 1 --unsafe asks it again\n$/
  )
  t.match(
    commandFor('application/json', said, '/v1.0-alpha2/conversation/llm/converse', 5),
    /\n# no command: its body is kept in part only: record.body [^\n]+\n$/
  )
  t.match(commandFor('application/json', said, '/v1.0/invoke/stock/method/conversation/llm/converse'), said)
})

t.test('a body in which nothing is masked is said to be so', async t => {
  const note = /\n# the body is neither JSON nor a form: nothing in it is masked\n/
  t.match(commandFor('multipart/form-data; boundary=x', '--x\r\nname="password"\r\n\r\nS3cr3t'), note)
  t.match(commandFor('text/plain', 'password=S3cr3t'), note)
  for (const [type, body] of [
    ['application/json', '{"password":"S3cr3t"}'],
    ['text/plain', '']
  ] as const)
    t.notMatch(commandFor(type, body), /nothing in it/)
})

t.test('two secrets of one name in a call are two variables, equal ones are one', async t => {
  const text = commandFor('application/json', '[{"password":"a"},{"password":"b"},{"password":"a"}]')
  t.match(text, '# masked: set PASSWORD, PASSWORD__2 first\n')
  t.equal(text.match(/\$PASSWORD\b/g)?.length, 2)
})
