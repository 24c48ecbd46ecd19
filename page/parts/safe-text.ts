/** What turns text around, or hides in it, for people who read it (Unicode TR 36). */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff\ufff9-\ufffb]/g
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f]/g

/** Text of an app so that everything in it is seen: control characters as pictures, marks that turn text around by number. */
export const visible = (text: string): string =>
  text
    .replace(CONTROLS, char => {
      const code = char.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      return code === 0x7f ? '\u2421' : `\\x${code.toString(16)}`
    })
    .replace(UNSEEN, char => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)

/* oxlint-disable no-control-regex */
/** OSC (titles, links, the clipboard), DCS, SOS, PM, APC: as a whole, up to their end (ECMA-48). */
const STRINGS = /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g
/** CSI, of which colours end with `m`; all others move a cursor. */
const CSI = /\x1b\[([0-?]*)[ -/]*([@-~])/g
/** What is left of escapes, such as `ESC c`. */
const SHORT = /\x1b[ -/]*[0-Z\\^-~]/g
/* oxlint-enable no-control-regex */

/** Takes all escapes of terminals out of a line; `colour` says what a colour (its parameters) becomes. */
export function withoutEscapes(line: string, colour: (parameters: string) => string): string {
  if (!line.includes('\x1b')) return line
  return line
    .replace(STRINGS, '')
    .replace(CSI, (_, parameters: string, last: string) => (last === 'm' ? colour(parameters) : ''))
    .replace(SHORT, '')
    .replaceAll('\x1b', '␛')
}

/** A line of an app as plain text. */
export const withoutColours = (line: string): string => visible(withoutEscapes(line, () => ''))

/** A longer name without its middle: many begin alike, and many end alike. */
export const shortened = (name: string, most = 30): string =>
  name.length <= most ? name : `${name.slice(0, most / 2)}…${name.slice(1 - most / 2)}`
