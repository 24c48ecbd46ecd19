import {appPrefix} from '../../model/text-lines.ts'

export interface LogLine {
  /** ms since 1970; 0: unknown. */
  readonly time: number
  /** `status`: Pillion's lines about the app; `-`: unknown. */
  readonly stream: 'stdout' | 'stderr' | 'status' | '-'
  readonly app: string
  /** latin1, as the app wrote it, without prefix and newline. */
  readonly text: string
}

/** A line that a run sends (`RunControl.runLogs`): time, stream, app, text. */
const HEADED = /^(\d+) (\S+) (\S+) (.*)$/s

/** Parses a line that a run sent. Returns a line without a head as text: `… 12 lines dropped`, or '' between stored and new lines. */
export function readLine(headed: string): LogLine | string {
  const [, time = '', stream = '', name = '', text = ''] = HEADED.exec(headed) ?? []
  if (time === '') return headed
  const app = decodeURIComponent(name)
  if (stream !== '-') return {time: Number(time), stream: stream as LogLine['stream'], app, text}
  const prefix = appPrefix(app)
  return text.startsWith(prefix)
    ? {time: 0, stream, app, text: text.slice(prefix.length)}
    : {time: 0, stream: 'status', app, text}
}
