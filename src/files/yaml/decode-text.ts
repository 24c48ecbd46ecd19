import {isUtf8} from 'node:buffer'

/** The three bytes of U+FFFD in UTF-8, each as a character of latin1. */
const REPLACEMENT = '\u00EF\u00BF\u00BD'

/**
 * Decodes the text of a YAML file without its byte order mark: UTF-8, or UTF-16 after such a mark, as Windows PowerShell writes it.
 * Invalid bytes become U+FFFE, which YAML does not allow, so that the reader refuses them at their place.
 */
export function decodeText(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return fromUtf16(bytes.subarray(2))
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return fromUtf16(Buffer.from(bytes.subarray(2)), true)
  const text = isUtf8(bytes) ? bytes.toString('utf8') : withMarks(bytes)
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

const fromUtf16 = (bytes: Buffer, isBigEndian = false): string => {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2))
  return (isBigEndian ? even.swap16() : even).toString('utf16le') + (even.length < bytes.length ? '\uFFFE' : '')
}

/** Decodes invalid UTF-8 with U+FFFE in place of invalid bytes. Keeps a U+FFFD that the text itself contains. */
const withMarks = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .split(REPLACEMENT)
    .map(part => Buffer.from(part, 'latin1').toString('utf8').replaceAll('\uFFFD', '\uFFFE'))
    .join('\uFFFD')
