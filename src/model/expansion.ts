import {referenceAt} from './app-reference.ts'
import {ownOf} from './own.ts'

/** Variables that `${…}` may name. */
export type FileVariables = Readonly<Record<string, string | undefined>>

const REFERENCE = /\$\{[A-Za-z_]\w*(?::?[-?+][^}]*)?\}/

/** Returns the first reference to a variable in a text, with its braces. Undefined without one. */
export const referenceIn = (text: string): string | undefined =>
  // behind the last brace each `${` would be searched to the end
  REFERENCE.exec(text.slice(0, text.lastIndexOf('}') + 1))?.[0]

/** A value of a file. */
interface WrittenValue {
  /** Quotes and escapes undone. */
  readonly value: string
  /** Text of the whole file, and the range of the value in it. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/** A mistake in a `${…}`, and its place in the file. */
export interface ExpansionMistake {
  readonly message: string
  readonly hint: string
  readonly spot: {readonly start: number; readonly end: number}
}

/** A value with its variables replaced, or why they cannot be. */
interface ExpandedValue {
  readonly value: string
  /** Variables that are not set. */
  readonly unset: readonly ExpansionMistake[]
  readonly fault: ExpansionMistake | undefined
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in a value by the rules of the compose specification (`interpolation`):
 * without the colon an empty variable counts as set, `:+` and `+` give the text behind them if it is set, what is behind an operator may
 * contain `${…}`, `$${` is a literal `${`. With `keepsApps` a `${app.ID.PROPERTY}` stays. A `$` without a brace is left alone.
 */
export function expand(written: WrittenValue, variables: FileVariables, keepsApps = false): ExpandedValue {
  const expansion = new Expansion(written.value, variables, keepsApps)
  try {
    const value = expansion.all()
    const unset = [...expansion.unset].map(([name, index]) => ({
      message: `the variable ${name} is not set: it is taken as empty`,
      hint: `set it, or write \${${name}:-default}, or \${${name}:?message} to refuse`,
      spot: spotWithin(written, index)
    }))
    return {value, unset, fault: undefined}
  } catch (error) {
    if (!(error instanceof BadExpansion)) throw error
    const {message, hint, index} = error
    const isCut = message === UNCLOSED && COMMENT.test(written.text.slice(written.end))
    return {value: '', unset: [], fault: {message, hint: isCut ? CUT : hint, spot: spotWithin(written, index)}}
  }
}

/** Returns the place in the file of the `${` at an index of a value: quotes and escapes move it. */
function spotWithin({value, text, start, end}: WrittenValue, index: number): ExpansionMistake['spot'] {
  const before = value.slice(0, index).split('${').length - 1
  const raw = text.slice(start, end)
  let at = -1
  for (let count = 0; count <= before; count++) at = raw.indexOf('${', at + 1)
  if (at === -1) return {start, end}
  const length = /^\$\{[^}\n]*\}?/.exec(raw.slice(at))?.[0].length ?? 2
  return {start: start + at, end: start + at + length}
}

/** A mistake in a value, and the index of its `${`. */
class BadExpansion extends Error {
  readonly index: number
  readonly hint: string

  constructor(index: number, message: string, hint: string) {
    super(message)
    this.index = index
    this.hint = hint
  }
}

const UNCLOSED = '${ without its }'
/** A comment that would cut the value off: `${NAME:?ask in #payments}`. */
const COMMENT = /^[ \t]+#/
const CUT = 'a # behind a space begins a comment: put the value in quotes'
const LITERAL = 'write $${ for a ${ that stays as it is'

/** Maximum nesting of `${…}`: real templates have less. */
const MAX_DEPTH = 20
/** Maximum number of unset variables to report of one value. */
const MAX_UNSET = 100

/** The expansion of one value, from left to right. */
class Expansion {
  /** Variables that were empty because they are not set, each with the index of its first `${`. */
  readonly unset = new Map<string, number>()
  readonly #text: string
  readonly #variables: FileVariables
  readonly #keepsApps: boolean
  #at = 0
  #depth = 0

  constructor(text: string, variables: FileVariables, keepsApps: boolean) {
    this.#text = text
    this.#keepsApps = keepsApps
    this.#variables = variables
  }

  all(): string {
    return this.#until('', true)
  }

  /** Expands up to `end`, which it skips, or to the end of the value. `isUsed`: false: the result is discarded, so that nothing is reported. */
  #until(end: '' | '}', isUsed: boolean): string {
    let result = ''
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at)
      if (end !== '' && rest.startsWith(end)) break
      const plain = rest.startsWith('$${') ? '${' : rest.startsWith('${') ? undefined : rest.charAt(0)
      result += plain ?? this.#variable(isUsed)
      if (plain !== undefined) this.#at += plain === '${' ? 3 : 1
    }
    this.#at += end.length
    return result
  }

  /** `${NAME}` and its other forms. */
  #variable(isUsed: boolean): string {
    const start = this.#at
    const rest = this.#text.slice(start)
    const kept = this.#keepsApps ? referenceAt(rest) : 0
    this.#at += kept
    if (kept > 0) return rest.slice(0, kept)
    const [head, name = '', operator = ''] = /^\$\{([A-Za-z_]\w*)(:?[-?+]|(?=\}))/.exec(rest) ?? []
    if (!closes(rest)) throw new BadExpansion(start, UNCLOSED, LITERAL)
    if (head === undefined) {
      const written = /^\$\{[^}]*\}/.exec(rest)?.[0] ?? rest
      throw new BadExpansion(
        start,
        `${written} names no variable`,
        `expected \${NAME} or \${NAME:-default}; ${LITERAL}`
      )
    }
    if (++this.#depth > MAX_DEPTH) throw new BadExpansion(0, 'variables within variables, too deep', 'write them apart')
    this.#at += head.length
    const value = ownOf(this.#variables, name)
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'))
    const usesWord = operator.endsWith('+') ? isSet : !isSet
    const word = this.#until('}', isUsed && usesWord)
    this.#depth--
    if (operator.endsWith('+')) return isSet ? word : ''
    if (isSet) return value
    if (operator.endsWith('?') && isUsed) {
      const why = word === '' ? `the variable ${name} is not set` : `the variable ${name} is not set: ${word}`
      throw new BadExpansion(start, why, `set it: export ${name}=…, or --env ${name}=…`)
    }
    if (operator === '' && isUsed && !this.unset.has(name) && this.unset.size < MAX_UNSET) this.unset.set(name, start)
    return word
  }
}

/** Whether the `${` at the start of a text is closed; the words of its operators may contain others. */
function closes(text: string): boolean {
  let depth = 0
  for (const [token] of text.matchAll(/\$\$\{|\$\{|\}/g)) {
    if (token === '${') depth++
    else if (token === '}') depth--
    if (depth === 0) return true
  }
  return false
}
