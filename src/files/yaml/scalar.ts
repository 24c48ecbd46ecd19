import type {YamlNode, YamlScalar} from './tree.ts'

/** A scalar as Go's yaml.v2 reads it: words and numbers of YAML 1.1. `tag`: its name in error messages. */
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

/** The forms of Go's decoder; the time zone is not optional. */
const TIMESTAMP =
  /^\d{4}-(\d\d?)-(\d\d?)(?:[Tt]\d\d?:\d\d?:\d\d?(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(?:\.\d+)?)?$/
const WHOLE = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
/** More digits than 64 bits have in any base. */
const MAX_DIGITS = 70

/** Tags whose values are read by their text, quoted or not. */
const RESOLVED_TAGS = new Set(['!!int', '!!bool', '!!float', '!!null', '!!timestamp'])

/** Reads a scalar as Go does: quoted text is text, any other is judged by its characters. */
export function resolveScalar({text, style, tag}: YamlScalar): ResolvedScalar {
  if (tag !== '' && !RESOLVED_TAGS.has(tag)) return {tag, value: text}
  if (tag === '' && style !== 'plain') return {tag: '!!str', value: text}
  const resolved = resolvePlain(text)
  return tag === '!!float' && typeof resolved.value === 'number' ? {...resolved, tag} : resolved
}

/** Resolves a scalar of which a number or a boolean is expected: quotes around a variable do not make it a text, since flow maps need them. */
export const resolveTyped = (scalar: YamlScalar): ResolvedScalar =>
  scalar.isExpanded === true && scalar.tag === '' ? resolvePlain(scalar.text) : resolveScalar(scalar)

/** Returns why a value does not fit its tag, in Go's words; empty if it does. */
export function tagFault({text, tag}: YamlScalar, {hasYesAndNo}: {readonly hasYesAndNo: boolean}): string {
  if (!RESOLVED_TAGS.has(tag)) return ''
  const {tag: found} = resolvePlain(text)
  const isRight = found === tag || (tag === '!!float' && found === '!!int')
  if (isRight && (tag !== '!!bool' || hasYesAndNo || TRUE_OR_FALSE.test(text))) return ''
  return `cannot decode ${isRight ? '!!str' : found} \`${text}\` as a ${tag}`
}

/** Words that are booleans in YAML 1.2, too. */
export const TRUE_OR_FALSE = /^(?:true|True|TRUE|false|False|FALSE)$/

/** Whether there is no value: nothing, `~` or `null`. */
export const isNull = (node: YamlNode): boolean =>
  node.kind === 'scalar' && WORDS.get(node.text)?.value === null && resolveScalar(node).value === null

export const isMergeKey = ({text, style, tag}: YamlScalar): boolean =>
  text === '<<' && ((style === 'plain' && tag === '') || tag === '!!merge')

function resolvePlain(text: string): ResolvedScalar {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (isTimestamp(text)) return {tag: '!!timestamp', value: text}
  const digits = text.replaceAll('_', '')
  const whole = /^[-+0-9]/.test(text) ? wholeNumber(digits) : undefined
  if (whole !== undefined) return {tag: '!!int', value: Number(whole)}
  const float = /^[-+.0-9]/.test(text) && FLOAT.test(digits) ? Number(digits) : Infinity
  if (Number.isFinite(float)) return {tag: '!!float', value: float}
  return {tag: '!!str', value: text}
}

function isTimestamp(text: string): boolean {
  const [matched, month = '', day = ''] = TIMESTAMP.exec(text) ?? []
  return matched !== undefined && Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31
}

/** Parses a whole number as Go's `ParseInt` with base 0: 0x, 0b, 0o, and a leading 0 for octal. Undefined for other texts, and beyond 64 bits. */
export function wholeNumber(digits: string): bigint | undefined {
  const [matched, sign = '', hex, binary, octal, decimal = '0'] = WHOLE.exec(digits) ?? []
  if (matched === undefined || matched.length > MAX_DIGITS) return undefined
  const size = BigInt(
    hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : octal !== undefined ? `0o${octal}` : decimal
  )
  if (sign === '-') return size <= 2n ** 63n ? -size : undefined
  return size < 2n ** 64n ? size : undefined
}
