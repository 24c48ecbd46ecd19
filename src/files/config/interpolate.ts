import {visit, type Scalar} from 'yaml'
import {MAX_MISTAKES, templateError, type Mistake, type Source, type Spot} from './diagnose.ts'
import {spotOf} from './nodes.ts'
import {setInterpolated, scalarSource} from './scalar.ts'
import type {Yaml} from './source.ts'

/** The text of the files, and the variables that `${…}` names. */
export interface Interpolation {
  readonly source: Source
  readonly variables: Readonly<Record<string, string | undefined>>
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in all values, not in keys, by the rules of the compose
 * specification (`interpolation`): without the colon an empty variable counts as set, `:+` and `+` give the text behind them if
 * it is set, what is behind an operator may contain `${…}`, `$${` is a literal `${`. A `$` without a brace is left alone. An
 * unset variable is empty, and reported in the result. Throws one `UserError` for all mistakes.
 */
export function interpolate(documents: readonly Yaml[], {source, variables}: Interpolation): readonly Mistake[] {
  const faults: Mistake[] = []
  const unset = new Map<string, Mistake>()
  for (const document of documents)
    visit(document, {
      Scalar: (key, node) => {
        if (key === 'key' || !scalarSource(node).includes('${')) return
        const expansion = new Expansion(scalarSource(node), variables)
        const at = (index: number): Spot => spotWithin(node, index, source)
        try {
          setInterpolated(node, expansion.all())
          for (const [name, index] of expansion.unset)
            if (!unset.has(name)) unset.set(name, unsetMistake(name, at(index)))
        } catch (error) {
          if (!(error instanceof BadExpansion)) throw error
          const {message, hint, index} = error
          const isCut = message === UNCLOSED && COMMENT.test(source.text.slice(spotOf(node, {start: 0, end: 0}).end))
          faults.push({code: 'interpolation', message, hint: isCut ? CUT : hint, spot: at(index)})
        }
      }
    })
  const [first, ...others] = faults.slice(0, MAX_MISTAKES)
  if (first !== undefined) throw templateError(source, first, others)
  return [...unset.values()]
}

const unsetMistake = (name: string, spot: Spot): Mistake => ({
  code: 'unset-variable',
  message: `the variable ${name} is not set: it is taken as empty`,
  spot,
  hint: `set it, or write \${${name}:-default}, or \${${name}:?message} to refuse`
})

/** Where the `${` at an index of a value stands in the text: quotes and escapes move it. */
function spotWithin(node: Scalar, index: number, source: Source): Spot {
  const whole = spotOf(node, {start: 0, end: 0})
  const before = scalarSource(node).slice(0, index).split('${').length - 1
  const raw = source.text.slice(whole.start, whole.end)
  let at = -1
  for (let count = 0; count <= before; count++) at = raw.indexOf('${', at + 1)
  if (at === -1) return whole
  const length = /^\$\{[^}\n]*\}?/.exec(raw.slice(at))?.[0].length ?? 2
  return {start: whole.start + at, end: whole.start + at + length}
}

/** What is wrong in a value, and the index of its `${`. */
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
/** What follows a value that YAML has cut: `${NAME:?ask in #payments}`. */
const COMMENT = /^[ \t]+#/
const CUT = 'a # behind a space begins a comment: put the value in quotes'
const LITERAL = 'write $${ for a ${ that stays as it is'

/** Nobody writes more. */
const MAX_DEPTH = 20

/** The expansion of one value, from left to right. */
class Expansion {
  /** Variables that were empty because they are not set, each with the index of its `${`. */
  readonly unset: [name: string, index: number][] = []
  readonly #text: string
  readonly #variables: Interpolation['variables']
  #at = 0
  #depth = 0

  constructor(text: string, variables: Interpolation['variables']) {
    this.#text = text
    this.#variables = variables
  }

  all(): string {
    return this.#until('', true)
  }

  /** The text up to `end`, which is skipped, or to the end of the value; `isUsed`: the result is; else nothing is reported. */
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
    const value = Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined
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
    if (operator === '' && isUsed) this.unset.push([name, start])
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
