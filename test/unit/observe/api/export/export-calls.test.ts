import t from 'tap'
import {CallSnapshot} from '../../../../../src/observe/api/export/export-calls.ts'
import {Turns} from '../../../../../src/observe/api/turns.ts'
import type {Call} from '../../../../../src/model/call.ts'
import {contentOf} from '../../../../../src/observe/telemetry/recorder/call-content.ts'
import {FLAG} from '../../../../../src/observe/telemetry/recorder/call-lines.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

const TIMES = {startedAt: 0, admittedAt: 0, connectedAt: 0, firstByteAt: 0, endedAt: 0}
const sent = (path: string) => ({...aRequest(), method: 'GET', path, target: path, lines: ''})

function begin(recorder: CallRecorder, path = '/x'): Call {
  const call = aCall({path})
  recorder.started(call, sent(path), 0)
  return call
}

function end(recorder: CallRecorder, call: Call, body = ''): void {
  const head = 'HTTP/1.1 200 OK\r\n\r\n'
  recorder.responded(call, {text: head, size: head.length}, '')
  recorder.text(call, 'response', body)
  recorder.ended(aRecord({call, request: sent(call.path), ...TIMES, responseBytes: body.length}))
}

function make(recorder: CallRecorder, count: number, body = ''): void {
  for (let n = 0; n < count; n++) end(recorder, begin(recorder), body)
}

const all = {q: '', before: 0, after: 0, limit: Infinity}
const turns = () => new Turns(() => 0)

t.test('calls that come later are none of it, and those that were under way stay so', async t => {
  const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
  make(recorder, 3)
  const open = begin(recorder, '/slow')
  const snapshot = new CallSnapshot(recorder)
  end(recorder, open, 'done')
  make(recorder, 5)
  t.strictSame(await snapshot.matching(all, turns()), [1, 2, 3, 4])
  t.strictSame(await snapshot.matching({...all, q: 'is:open path:/slow'}, turns()), [4])
  t.strictSame(await snapshot.matching({...all, before: 4, after: 1}, turns()), [2, 3])
  t.strictSame(await snapshot.matching({...all, limit: 2}, turns()), [3, 4])
  const call = snapshot.call(4)
  t.ok(((call?.flags ?? 0) & FLAG.open) !== 0)
  t.equal(contentOf({pieces: call?.pieces ?? []}).response.head, '', 'there was no response yet')
  t.ok(((recorder.call(4)?.flags ?? 0) & FLAG.open) === 0)
  t.equal(snapshot.overwritten, '')
})

t.test('what was overwritten meanwhile is counted: lines that are gone, and bytes that were there', async t => {
  const recorder = new CallRecorder(() => 1000, 16, 8 * 1024)
  make(recorder, 12, 'x'.repeat(900)) // the tape has room for 8 of them
  const lacking = [...Array(12).keys()].map(n => n + 1).filter(number => recorder.call(number)?.pieces.length === 0)
  t.ok(lacking.length > 2 && lacking.length < 8, lacking.join(' '))
  const snapshot = new CallSnapshot(recorder)
  for (const number of lacking) t.equal(snapshot.call(number)?.number, number)
  t.equal(snapshot.overwritten, '', 'those had no bytes before')
  make(recorder, 2, 'y'.repeat(900))
  for (let number = 1; number <= 12; number++) t.ok(snapshot.call(number))
  t.equal(
    snapshot.overwritten,
    '2 calls were overwritten before this was written: they are missing, or lack their bytes'
  )
  make(recorder, 12)
  t.equal(snapshot.call(1), undefined, 'its line is gone')
  t.match(snapshot.overwritten, /^3 calls were/)
  t.strictSame(
    await snapshot.matching({...all, q: 'path:/x'}, turns()),
    [11, 12].filter(number => recorder.call(number)?.pieces.length !== 0)
  )
  t.match(snapshot.overwritten, /^1[0-2] calls were/, 'what a filter could not look at is counted, too')
  const one = new CallSnapshot(recorder)
  make(recorder, 1)
  one.call(recorder.last - 16)
  t.equal(one.overwritten, '1 call was overwritten before this was written: it is missing, or lacks its bytes')
  t.equal(new CallSnapshot(new CallRecorder(() => 1000)).overwritten, '', 'without any call')
})

t.test('a long call, whose bytes stay longer than those of later calls, does not make these count', async t => {
  for (let before = 0; before < 40; before++) {
    const recorder = new CallRecorder(() => 1000, 64, 8 * 1024)
    make(recorder, before)
    const long = begin(recorder, '/slow')
    make(recorder, 50 - before, 'x'.repeat(400)) // the tape has room for 16 of them
    end(recorder, long)
    const snapshot = new CallSnapshot(recorder)
    for (const number of recorder.numbers()) snapshot.call(number)
    t.equal(snapshot.overwritten, '', `${before} calls before it`)
  }
})
