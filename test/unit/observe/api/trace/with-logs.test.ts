import t from 'tap'
import {withLogs, linesBetween, type Busy} from '../../../../../src/observe/api/trace/with-logs.ts'
import type {ReceivedLog} from '../../../../../src/observe/telemetry/otlp/received.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {Turns} from '../../../../../src/observe/api/turns.ts'
import {RunLogWriter, type LogBatch} from '../../../../../src/observe/logging/run-log.ts'

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

/** A log of batches, the newest first. */
const logOf = (...batches: readonly (readonly [app: string, time: number, text: string])[]) => ({
  latest: (): readonly LogBatch[] =>
    batches.map(([app, at, text], number) => ({
      number,
      writer: new RunLogWriter(app, () => undefined),
      stream: 'stdout' as const,
      at,
      time: Math.floor(at),
      place: 0,
      text,
      coloured: text
    }))
})

const busy = (node: number, app: string, from: number, until: number): Busy => ({node, app, from, until})

const shown = async (
  ...[log, own, elsewhere = []]: [ReturnType<typeof logOf>, readonly Busy[], (readonly Busy[])?]
) => {
  const {lines, linesLeftOut} = await linesBetween(log, own, elsewhere, new Turns(() => 0))
  return {told: lines.map(({node, others, line: {line}}) => `${node}/${others} ${line}`), linesLeftOut}
}

t.test('each line is below what its app had begun last; others than apps of the request are left out', async t => {
  const log = logOf(
    ['shop', 2000, 'much later\n'],
    ['shop.2', 1100, 'of an instance\n'],
    ['mail', 1060, 'of another app\n'],
    ['stock', 1055, 'a\nb\n'],
    ['shop', 1050, 'first\n'],
    ['shop', 900, 'before\n']
  )
  const {told} = await shown(log, [
    busy(1, 'shop', 1000, 1100),
    busy(2, 'stock', 1050, 1060),
    busy(3, 'shop', 1090, 1095)
  ])
  t.same(told, ['1/0 first', '2/0 a', '2/0 b', '1/0 of an instance'])
})

t.test('what comes shortly after the answer belongs to it; what may belong to other requests is told', async t => {
  const log = logOf(['shop', 1110, 'after the end\n'], ['shop', 1104, 'late\n'], ['shop', 1050, 'whose?\n'])
  const {told} = await shown(
    log,
    [busy(1, 'shop', 1000, 1100)],
    [busy(7, 'shop', 1040, 1060), busy(8, 'shop', 0, 1048.5), busy(9, 'shop', 0, 1047)]
  )
  t.same(told, ['1/2 whose?', '1/0 late'])
})

t.test('of a flood of lines the latest are left', async t => {
  const log = logOf(['shop', 1002, 'last\n'], ['shop', 1001, 'x\n'.repeat(3000)])
  const {told, linesLeftOut} = await shown(log, [busy(1, 'shop', 1000, 1100)])
  t.equal(told.length, 1000)
  t.equal(told.at(-1), '1/0 last')
  t.equal(linesLeftOut, 2001)
  t.same(await shown(log, []), {told: [], linesLeftOut: 0})
})
