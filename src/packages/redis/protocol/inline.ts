import {ownOf} from '../../../model/own.ts'

const ESCAPES: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007'}

/** Bytes of other protocols, which no person types: a TLS hello, the head of STUN. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/

/** Returns false for bytes of another protocol: they must not run as commands. */
export const isTyped = (line: string): boolean => !CONTROL.test(line)

/** The arguments of a line that a person typed (`sdssplitargs`): quotes, and escapes in double ones. Undefined: unbalanced. */
export function splitInline(line: string): readonly string[] | undefined {
  const args: string[] = []
  let at = 0
  for (;;) {
    while (isSpace(line[at])) at++
    if (at >= line.length) return args
    const word = readWord(line, at)
    if (word === undefined) return undefined
    args.push(word.text)
    at = word.end
  }
}

const isSpace = (character: string | undefined): boolean => character !== undefined && /\s/.test(character)

interface Word {
  readonly text: string
  readonly end: number
}

function readWord(line: string, start: number): Word | undefined {
  let text = ''
  let at = start
  while (at < line.length && !isSpace(line[at])) {
    const quote = line[at]
    if (quote !== '"' && quote !== "'") {
      text += line.charAt(at++)
      continue
    }
    const quoted = readQuoted(line, at + 1, quote)
    // a closing quote ends the word
    if (quoted === undefined || (quoted.end < line.length && !isSpace(line[quoted.end]))) return undefined
    return {text: text + quoted.text, end: quoted.end}
  }
  return {text, end: at}
}

function readQuoted(line: string, start: number, quote: string): Word | undefined {
  let text = ''
  for (let at = start; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === quote) return {text, end: at + 1}
    if (character !== '\\') text += character
    else if (quote === "'") {
      const isQuote = line[at + 1] === "'"
      text += isQuote ? "'" : character
      if (isQuote) at++
    } else {
      const hex = /^x([\da-f]{2})/i.exec(line.slice(at + 1, at + 4))?.[1]
      const next = line.charAt(at + 1)
      text += hex === undefined ? (ownOf(ESCAPES, next) ?? next) : String.fromCharCode(Number.parseInt(hex, 16))
      at += hex === undefined ? 1 : 3
    }
  }
  return undefined
}
