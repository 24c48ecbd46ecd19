import {isUtf8} from 'node:buffer'

/* oxlint-disable no-control-regex -- control characters are what is sought */

/** A control byte (except tab and newline), or a byte that may belong to a C1 control in UTF-8 or be one itself. */
const SUSPECT = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/
/** Characters of UTF-8 that show text in another order, or end a line in some terminals (Unicode Standard Annex 9; U+2028, U+2029). */
const REORDERING = String.raw`\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]`
/** Patterns of harmful text, besides invalid UTF-8. Separate patterns are faster than one with alternatives. */
const CONTROLS = [/[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/, /\x1b(?!\[[\d;:]*m)/, /\xc2[\x80-\x9f]/, new RegExp(REORDERING)]

/** Colours and other renditions (SGR, ECMA-48 8.3.117), parameters separated by `;` or `:` (ISO 8613-6). */
const SGR = String.raw`\x1b\[[\d;:]*m`
/** Well-formed characters beyond ASCII and C1 (Unicode, table 3-7). */
const BEYOND_ASCII = [
  String.raw`\xc2[\xa0-\xbf]`,
  String.raw`[\xc3-\xdf][\x80-\xbf]`,
  String.raw`\xe0[\xa0-\xbf][\x80-\xbf]`,
  String.raw`[\xe1-\xec\xee\xef][\x80-\xbf]{2}`,
  String.raw`\xed[\x80-\x9f][\x80-\xbf]`,
  String.raw`\xf0[\x90-\xbf][\x80-\xbf]{2}`,
  String.raw`[\xf1-\xf3][\x80-\xbf]{3}`,
  String.raw`\xf4[\x80-\x8f][\x80-\xbf]{2}`
].join('|')
const PART = new RegExp(
  String.raw`(${SGR}|(?:(?!${REORDERING})(?:${BEYOND_ASCII}))+)|(\r+)(\n?)|${REORDERING}|\xc2?[\x80-\x9f]|[\x00-\x08\x0b-\x1f\x7f]`,
  'g'
)

/** The end of a line that leaves a rendition on; in text without other escapes. */
const LEFT_ON = /(\x1b\[(?!0?m)[\d;:]*m[^\x1b\n]*)\n/g

/** A sequence at the end of a piece that the next piece may complete. */
const UNFINISHED = /(?:\r+|\x1b(?:\[[\d;:]*)?|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/
/** Maximum number of characters of an unfinished sequence: longer than any real rendition. */
const MAX_UNFINISHED = 64

/** The visible form of a `\r` that would let one text overwrite another. */
const RETURN_SHOWN = String.raw`\x0d`

/**
 * Makes text from outside safe for a terminal: an escape sequence could set the title, write the clipboard, erase lines, or make the
 * terminal send input. Only colours and styles pass, until the end of their line. Other controls, and characters that reorder text,
 * become visible (`\x1b]52;…`, in UTF-8 `\u009b`). Each `\r` within a line becomes `restart`. `text` is latin1, one character per byte;
 * most text costs one scan.
 */
export function terminalText(text: string, restart = RETURN_SHOWN): string {
  if (!SUSPECT.test(text)) return text
  const shown = isHarmless(text) ? text : withoutControls(text, restart)
  return shown.includes('\x1b') ? shown.replace(LEFT_ON, '$1\x1b[0m\n') : shown
}

const isHarmless = (text: string): boolean =>
  !CONTROLS.some(control => control.test(text)) && isUtf8(Buffer.from(text, 'latin1'))

const withoutControls = (text: string, restart: string): string =>
  text.replace(PART, (part, kept: string | undefined, returns: string | undefined, end: string) => {
    if (returns !== undefined) return end === '' ? restart : end
    return kept ?? visible(part)
  })

/** Returns the visible form of a control: `\x1b`, or `\u009b` for the UTF-8 bytes C2 9B. */
const visible = (part: string): string =>
  part.length === 1
    ? `\\x${hex(part.charCodeAt(0), 2)}`
    : `\\u${hex(Buffer.from(part, 'latin1').toString().charCodeAt(0), 4)}`

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

/** Applies `terminalText` to text that arrives in arbitrary pieces. */
export class TerminalText {
  readonly #restart: string
  #rest = ''

  /** `prefix`: the prefix of each line; empty for none. */
  constructor(prefix: string) {
    this.#restart = prefix === '' ? RETURN_SHOWN : `\r${prefix}`
  }

  /** Returns the text that can be shown now; a sequence that the next piece may complete is kept, at most 64 characters. */
  push(piece: string): string {
    const whole = this.#rest + piece
    this.#rest = whole.endsWith('\n') ? '' : (UNFINISHED.exec(whole.slice(-MAX_UNFINISHED))?.[0] ?? '')
    return terminalText(whole.slice(0, whole.length - this.#rest.length), this.#restart)
  }

  /** Returns the rest at the end of the text. */
  end(): string {
    const rest = this.#rest
    this.#rest = ''
    return terminalText(rest, this.#restart)
  }
}
