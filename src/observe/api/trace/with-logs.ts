import type * as Api from '../../../model/api.generated.ts'
import {withoutColours} from '../../logging/prefix.ts'
import type {ReceivedException} from '../../telemetry/otlp/received.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {isOfApp} from '../line-view.ts'
import {exceptionText, thrownAt} from '../../../model/thrown-at.ts'
import {maskedException} from './span-view.ts'
import type {TreeLog} from './with-spans.ts'

interface Lines {
  readonly lines: readonly Api.TreeLine[]
  readonly linesLeftOut: number
}

/** So far apart a line and the record of the same line may be, in ms. */
const SAME_MS = 1000
/** So many lines of one tree. */
const MAX_LINES = 1000

/** Adds log records to the lines that apps wrote. One that came over stdout as well is that line, of which its place is known now. */
export function withLogs({lines, linesLeftOut}: Lines, logs: readonly TreeLog[], masking: Masking): Lines {
  const all = [...lines]
  const taken = new Set<number>()
  for (const {node, log} of logs) {
    const {app, at, severity, text} = log
    const first = masking.target(withoutColours(text).split('\n', 1)[0] ?? '').trim()
    const level = levelOf(severity)
    const isSame = ({line}: Api.TreeLine, index: number): boolean =>
      !taken.has(index) &&
      isOfApp(line.app, app) &&
      Math.abs(Date.parse(line.time ?? '') - at) <= SAME_MS &&
      first !== '' &&
      line.line.includes(first)
    const index = all.findIndex(isSame)
    const known = all[index]
    if (known !== undefined) {
      taken.add(index)
      all[index] = {node, others: 0, line: {...known.line, ...(level !== undefined && {level})}}
      continue
    }
    const exception = exceptionOf(log.exception, masking)
    const line = [first, exception].filter(word => word !== '').join(' – ')
    const time = new Date(at).toISOString()
    taken.add(all.length)
    all.push({node, others: 0, line: {time, app, stream: null, line, ...(level !== undefined && {level})}})
  }
  const sorted = all.toSorted((a, b) => Date.parse(a.line.time ?? '') - Date.parse(b.line.time ?? ''))
  return {lines: sorted.slice(-MAX_LINES), linesLeftOut: linesLeftOut + Math.max(0, sorted.length - MAX_LINES)}
}

function exceptionOf(json: string, masking: Masking): string {
  if (json === '') return ''
  const exception = maskedException(JSON.parse(json) as ReceivedException, masking)
  const place = thrownAt(exception)
  return `${exceptionText(exception)}${place === '' ? '' : ` (${place})`}`
}

/** Of OpenTelemetry's severity numbers (logs.proto). */
const levelOf = (severity: number): Api.Line['level'] =>
  severity >= 17 ? 'error' : severity >= 13 ? 'warn' : severity >= 9 ? 'info' : severity > 0 ? 'debug' : undefined
