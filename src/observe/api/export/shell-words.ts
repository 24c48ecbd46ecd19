import {isUtf8} from 'node:buffer'
import {shellQuoted} from '../../../model/shell-quoted.ts'

/** Bytes, and names of shell variables between them. */
export type Parts = readonly (Buffer | {readonly variable: string})[]

/** Returns a word for a POSIX shell with any bytes. Unprintable bytes are octal. */
export function shellWord(parts: Parts): string {
  const word = parts
    .map(part => {
      if (!Buffer.isBuffer(part)) return `"$${part.variable}"`
      if (part.length === 0) return ''
      return isPrintable(part) ? shellQuoted(part.toString()) : `"$(printf '${format(part)}')"`
    })
    .join('')
  return word === '' ? "''" : word
}

/** Returns a command that writes these bytes, NUL among them, to its standard output. */
export function shellPrintf(parts: Parts): string {
  const formats = parts.map(part => (Buffer.isBuffer(part) ? format(part) : '%s'))
  const variables = parts.flatMap(part => (Buffer.isBuffer(part) ? [] : [` "$${part.variable}"`]))
  return `printf '${formats.join('')}'${variables.join('')}`
}

/** Whether a text is safe for a terminal: no control characters except line ends and tabs, and none that reorder text. */
export const isPrintable = (bytes: Buffer): boolean =>
  isUtf8(bytes) && !/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u.test(bytes.toString())

/** Escapes bytes for `printf` within single quotes: octal for all but plain ASCII, and for a dash that would begin an option. */
function format(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c && !(byte === 0x2d && text === '')
    if (byte === 0x25) text += '%%'
    else text += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return text
}
