import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'

/** Writes calls in one format, one after the other. */
export interface Exporter {
  /** The media type of the whole text. */
  readonly type: string
  readonly before: string
  readonly between: string
  readonly after: string
  text(call: RecordedCall): string
}

export interface ExporterOptions {
  /** Names whose values are masked besides the usual ones. */
  readonly masked: readonly string[]
  /** The HTTP port at which this app makes its calls; 0: it has none in this run. */
  readonly portOf: (app: string) => number
}

/** The first value of a header, by its name in lower case; '': there is none. `headers`: names and values by turns. */
export function headerOf(headers: readonly string[], name: string): string {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
  return at < 0 ? '' : (headers[at + 1] ?? '')
}

/** Text for a comment of one line: nothing in it ends the line or moves a terminal's cursor. */
export const oneLine = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD')
