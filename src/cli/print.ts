/** The signs of Dapr's CLI (`pkg/print/print.go`), each followed by two spaces; no colour. */
const GLYPHS = {success: '✅', failure: '❌', warning: '⚠', pending: '⌛', info: 'ℹ️'} as const

export type Status = keyof typeof GLYPHS

/** One status line, newline included: behind its sign, or as a line of JSON for `--log-as-json`. */
export const statusLine = (status: Status, message: string, asJson: boolean): string =>
  asJson
    ? `${JSON.stringify({time: new Date().toISOString(), status, msg: message})}\n`
    : `${GLYPHS[status]}  ${message}\n`
