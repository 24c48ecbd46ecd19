import {isScalar, type Scalar} from 'yaml'

/** A scalar as Go's yaml.v2 understands it: YAML 1.1's words and numbers. `tag` is what its error messages call it. */
export interface ResolvedScalar {
  readonly tag: string
  readonly value: string | number | boolean | null
}

const WORDS = new Map<string, ResolvedScalar>()
for (const word of ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
  WORDS.set(word, {tag: '!!bool', value: true})
for (const word of ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])
  WORDS.set(word, {tag: '!!bool', value: false})
for (const word of ['', '~', 'null', 'Null', 'NULL']) WORDS.set(word, {tag: '!!null', value: null})
for (const word of ['.nan', '.NaN', '.NAN']) WORDS.set(word, {tag: '!!float', value: NaN})
for (const sign of ['', '+', '-'])
  for (const word of ['.inf', '.Inf', '.INF'])
    WORDS.set(sign + word, {tag: '!!float', value: sign === '-' ? -Infinity : Infinity})

const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?.*)?$/
const WHOLE = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const MAX_UINT64 = 2 ** 64

/** Go's reading of a node: an empty place is null, a quoted text is a text, any other scalar what its letters look like. */
export function resolveScalar(node: Scalar | null): ResolvedScalar {
  if (node === null) return {tag: '!!null', value: null}
  const text = scalarSource(node)
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!') ?? ''
  if (tag !== '' && tag !== '!!int' && tag !== '!!bool' && tag !== '!!float' && tag !== '!!null')
    return {tag, value: text}
  return tag === '' && node.type !== 'PLAIN' ? {tag: '!!str', value: text} : resolvePlain(text)
}

/** What to do where one is not replaced. */
export const TO_REPLACE = 'to replace it from the environment, write interpolate: true at the top'

/** Values in which a variable was replaced. */
const interpolated = new WeakSet<Scalar>()

/** Gives a value its text with the variables replaced. */
export function setInterpolated(node: Scalar, text: string): void {
  node.source = text
  interpolated.add(node)
}

/** The same where a number or a boolean is expected: quotes around a variable do not make it a text; in flow maps it needs them. */
export const resolveTyped = (node: Scalar): ResolvedScalar =>
  interpolated.has(node) && node.tag === undefined ? resolvePlain(scalarSource(node)) : resolveScalar(node)

/** The text of a scalar: quotes and escapes undone, nothing else interpreted. */
export const scalarSource = (node: Scalar | null): string => node?.source ?? ''

/** Whether the node is a merge key. */
export const isMergeKey = (node: unknown): boolean =>
  isScalar(node) && node.source === '<<' && (node.type === 'PLAIN' || node.tag === 'tag:yaml.org,2002:merge')

function resolvePlain(text: string): ResolvedScalar {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (TIMESTAMP.test(text)) return {tag: '!!timestamp', value: text}
  const digits = text.replaceAll('_', '')
  const whole = /^[-+0-9]/.test(text) ? wholeOf(digits) : undefined
  if (whole !== undefined) return {tag: '!!int', value: whole}
  if (/^[-+.0-9]/.test(text) && FLOAT.test(digits)) return {tag: '!!float', value: Number(digits)}
  return {tag: '!!str', value: text}
}

/** Go's `ParseInt` with base 0: 0x, 0b, 0o, and a leading 0 for octal. */
function wholeOf(digits: string): number | undefined {
  const [matched, sign = '', hex, binary, octal, decimal = '0'] = WHOLE.exec(digits) ?? []
  if (matched === undefined) return undefined
  const size = Number(
    hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : octal !== undefined ? `0o${octal}` : decimal
  )
  return size < MAX_UINT64 ? (sign === '-' ? 0 - size : size) : undefined
}
