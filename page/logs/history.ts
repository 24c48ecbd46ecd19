import type * as Api from '../../src/model/api.generated.ts'
import {api} from '../state/api.ts'

/** A section of the run's log. */
export interface Stretch {
  /** The lines; `note` is a message of Pillion among them. */
  readonly lines: readonly (Api.Line | {readonly note: string})[]
  /** The lines after this section that were not read. Undefined if there are none. */
  readonly left: Api.LinesLeft | undefined
  /** The position in the log at which the section ends. */
  readonly place: number
}

type Row = Api.Line | {readonly note: string} | Api.LinesLeft
const isLeft = (row: Row): row is Api.LinesLeft => 'left' in row
const isLine = (row: Row): row is Exclude<Row, Api.LinesLeft> => !isLeft(row)

/** Reads lines: the last ones (`tail`), or those from a log position on (`from`, `to`, `skip`, `limit`). Throws an ApiError. */
export async function readLines(
  query: Readonly<Record<string, string | number>> | URLSearchParams,
  signal: AbortSignal
): Promise<Stretch> {
  const {response} = await api.open('GET /logs', {query, accept: 'application/x-ndjson', signal})
  const rows = (await response.text())
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row)
  return {
    lines: rows.filter(isLine),
    left: rows.find(isLeft),
    place: Number(response.headers.get('pillion-log-place') ?? '0')
  }
}

/** Returns the last lines written so far, by all apps or by one. */
export async function linesBefore(tail: number, signal: AbortSignal, app = ''): Promise<readonly Api.Line[]> {
  const {lines} = await readLines({tail, ...(app !== '' && {app})}, signal)
  return lines.filter(line => 'line' in line)
}
