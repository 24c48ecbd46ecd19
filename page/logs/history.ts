import {request} from '../state/api.ts'
import type {LineView} from '../state/run.ts'

const keyOf = ({time, app, line}: LineView): string => `${time ?? ''} ${app} ${line}`

/** The last lines that were written before, of all apps or of one; none if the run does not answer. */
export async function linesBefore(tail: number, signal: AbortSignal, app = ''): Promise<readonly LineView[]> {
  const query = `tail=${tail.toString()}${app === '' ? '' : `&app=${encodeURIComponent(app)}`}`
  const response = await request(`/logs?${query}`, {accept: 'application/x-ndjson', signal})
  const text = await response.text()
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as LineView | {readonly note: string})
    .filter(line => 'line' in line)
}

/** What came while the earlier lines were on their way, without those that are among them. */
export function newerThan(earlier: readonly LineView[], lines: readonly LineView[]): readonly LineView[] {
  const last = earlier.at(-1)?.time ?? ''
  const known = new Set(earlier.filter(({time}) => time === last).map(keyOf))
  return lines.filter(line => (line.time ?? '') >= last && !known.has(keyOf(line)))
}
