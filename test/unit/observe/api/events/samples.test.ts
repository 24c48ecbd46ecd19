import t from 'tap'
import {linesOf, LineSamples, sampleCalls} from '../../../../../src/observe/api/events/samples.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

t.test('of a flood of lines the first are told, and how many came besides', async t => {
  const log = new RunLog()
  const samples = new LineSamples()
  log.tap(batch => samples.add(batch))
  const shop = log.writer('shop')
  t.ok(samples.isEmpty)
  shop.write('stdout', Buffer.from('Grüße\r\n').toString('latin1'), 1, 0)
  shop.write('stderr', `${'x'.repeat(10_000)}\n`, 1, 0)
  for (let i = 0; i < 10; i++) shop.write('stdout', 'line\n'.repeat(1000), 1000, 0)
  const {from, to, lines, notShown} = linesOf(samples.take(), '')
  t.strictSame([from, to, log.next], [0, 12, 12], 'where that is in the log')
  t.match(lines[0], {app: 'shop', stream: 'stdout', line: 'Grüße', time: /Z$/})
  t.match(lines[1], {stream: 'stderr', line: /^x{4096}\.\.\.$/})
  t.equal(lines.length, 400)
  t.equal(lines.length + notShown, 10_002, 'each is told or counted')
  t.ok(samples.isEmpty, 'they are told once')
})

t.test('who reads one app is told how many lines of this app came besides', async t => {
  const log = new RunLog()
  const samples = new LineSamples()
  log.tap(batch => samples.add(batch))
  log.writer('shop').write('stdout', 'a line\n', 1, 0)
  log.writer('stock').write('stdout', 'line\n'.repeat(1000), 1000, 0)
  const taken = samples.take()
  t.match(linesOf(taken, 'shop'), {lines: [{line: 'a line'}], notShown: 0})
  const {lines, notShown} = linesOf(taken, 'stock')
  t.equal(lines.length + notShown, 1000)
  log.writer('shop_1.2.0.2').write('stdout', 'of another version\n', 1, 0)
  t.match(linesOf(samples.take(), 'shop'), {lines: [{app: 'shop_1.2.0.2', line: 'of another version'}]})
})

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
