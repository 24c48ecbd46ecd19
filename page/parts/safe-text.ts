/** Characters that are invisible, or that change the direction of text (Unicode TR 36). */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff\ufff9-\ufffb]/g
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f]/g

/** Returns a text with all its characters visible: control characters as symbols or `\x9f`, invisible ones as `[U+202E]`. */
export const visible = (text: string): string =>
  text
    .replace(CONTROLS, char => {
      const code = char.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      return code === 0x7f ? '\u2421' : `\\x${code.toString(16)}`
    })
    .replace(UNSEEN, char => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)

/* oxlint-disable no-control-regex */
/** OSC (titles, links, the clipboard), DCS, SOS, PM and APC sequences with their content (ECMA-48). */
const STRINGS = /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g
/** CSI sequences: colours end with `m`, the others move the cursor or change the screen. */
const CSI = /\x1b\[([0-?]*)[ -/]*([@-~])/g
/** The short sequences that remain, such as `ESC c`. */
const SHORT = /\x1b[ -/]*[0-Z\\^-~]/g
/* oxlint-enable no-control-regex */

/** Removes all terminal escape sequences from a line; `colour` returns what replaces a colour sequence with these parameters. */
export function withoutEscapes(line: string, colour: (parameters: string) => string): string {
  if (!line.includes('\x1b')) return line
  return line
    .replace(STRINGS, '')
    .replace(CSI, (_, parameters: string, last: string) => (last === 'm' ? colour(parameters) : ''))
    .replace(SHORT, '')
    .replaceAll('\x1b', '␛')
}

/** Returns a line of an app as plain text. */
export const withoutColours = (line: string): string => visible(withoutEscapes(line, () => ''))

/** Returns a long name without its middle, because many names share a beginning or an end. */
export const shortened = (name: string, most = 30): string =>
  name.length <= most ? name : `${name.slice(0, most / 2)}…${name.slice(1 - most / 2)}`
