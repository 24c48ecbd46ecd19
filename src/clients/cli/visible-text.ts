import {stripVTControlCharacters} from 'node:util'
import {terminalText} from '../../observe/logging/terminal-text.ts'
import {cut, PLAIN} from './width.ts'

/** Text from outside as one line without colours, with its control characters visible, and as wide as it looks. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text
  const line = stripVTControlCharacters(text).replaceAll('\t', '    ').replaceAll('\n', ' ')
  return Buffer.from(terminalText(Buffer.from(line).toString('latin1')), 'latin1').toString()
}

/** The visible text, cut to `width` columns. */
export const visibleCut = (text: string, width: number): string => cut(visibleText(text), width)
