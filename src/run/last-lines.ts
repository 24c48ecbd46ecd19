import type {LogRecord} from '../logging/log-record.ts'

/** The last lines of a log before an offset, decoded, without the app's prefix. */
export async function lastLines(record: LogRecord, end: number, count: number): Promise<readonly string[]> {
  let text = ''
  for await (const piece of record.read(await record.startOfLast(count, end), end)) text += piece
  const lines = Buffer.from(text, 'latin1').toString().split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => line.replace(/^== APP - [^=]* == /, ''))
}
