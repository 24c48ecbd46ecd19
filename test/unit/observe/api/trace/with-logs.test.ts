import t from 'tap'
import {withLogs} from '../../../../../src/observe/api/trace/with-logs.ts'
import type {ReceivedLog} from '../../../../../src/observe/telemetry/otlp/received.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'

t.test('a record that came over stdout as well is that line, also with a secret, as JSON, or cut', async t => {
  const at = Date.parse('2026-01-31T14:46:28Z')
  const told = (text: string, line: string): readonly string[] => {
    const log: ReceivedLog = {app: 'shop', isApp: true, at, severity: 9, text, traceId: 'a', spanId: 'b', exception: ''}
    const written = {
      node: 1,
      others: 0,
      line: {time: new Date(at).toISOString(), app: 'shop', stream: 'stdout' as const, line}
    }
    const {lines} = withLogs({lines: [written], linesLeftOut: 0}, [{node: 2, log}], new Masking())
    return lines.map(({node, line: shown}) => `${node} ${shown.line.slice(0, 40)}`)
  }
  t.same(told('plain', 'INFO plain'), ['2 INFO plain'])
  t.same(told('open with token=S3cr3t', 'open with token=S3cr3t'), ['2 open with token=S3cr3t'])
  t.same(told('said "hi"', '{"msg":"said \\"hi\\""}'), ['2 {"msg":"said \\"hi\\""}'])
  const long = 'x'.repeat(3000)
  t.equal(told(long, long.slice(0, 2000)).length, 1)
  t.same(told('pin=1234 is wrong', 'another'), ['1 another', '2 pin=<masked, 4 characters> is wrong'])
})
