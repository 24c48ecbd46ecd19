import {appPrefix} from './prefix.ts'

/** A line of a log. */
export interface LogLine {
  /** ms since 1970; 0: unknown. */
  readonly time: number
  /** `status`: our lines about the app; `-`: unknown. */
  readonly stream: 'stdout' | 'stderr' | 'status' | '-'
  readonly app: string
  /** latin1, as the app wrote it, without prefix and newline. */
  readonly text: string
}

/** A line that a run sends (`RunControl.runLogs`): time, stream, app, text. */
const HEADED = /^(\d+) (\S+) (\S+) (.*)$/s

/** Parses a line that a run sent. A line without a head (`… 12 lines dropped`) is returned as text; after '' all lines are new. */
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

/** Splits chunks of text into lines, in batches. */
export async function* lineBatches(texts: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = ''
  for await (const text of texts) {
    const end = text.lastIndexOf('\n')
    if (end >= 0) yield (rest + text.slice(0, end)).split('\n')
    rest = end < 0 ? rest + text : text.slice(end + 1)
  }
  if (rest !== '') yield [rest]
}
