import type {Dialect} from './dialects.ts'
import {resolveScalar, TRUE_OR_FALSE, wholeNumber} from './scalar.ts'
import type {YamlNode, YamlScalar} from './tree.ts'

/** Returns the text that Go makes of a scalar for a field that wants one: numbers are written again, in Go's form. Null is ''. */
export function scalarText(scalar: YamlScalar, {hasYesAndNo, floatBits}: Dialect): string {
  const {tag, value} = resolveScalar(scalar)
  if (tag === '!!bool') return hasYesAndNo || TRUE_OR_FALSE.test(scalar.text) ? String(value) : scalar.text
  if (tag === '!!timestamp' && !hasYesAndNo) return timeText(scalar.text)
  if (typeof value === 'number') return wholeText(scalar) ?? floatText(value, floatBits)
  return value === null ? '' : scalar.text
}

/** Returns a scalar as Go's JSON. Undefined for a number that JSON lacks. */
export function scalarJson(scalar: YamlScalar): string | undefined {
  const {value} = resolveScalar(scalar)
  if (typeof value !== 'number') return goJson(typeof value === 'boolean' || value === null ? value : scalar.text)
  if (!Number.isFinite(value)) return undefined
  return wholeText(scalar) ?? (Object.is(value, -0) ? '-0' : String(value))
}

/** `JSON.stringify` with the characters that Go escapes for HTML. */
const goJson = (value: string | boolean | null): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`
  )

/** Returns a value as JSON with Go's order of keys. Undefined if a number in it is not valid JSON. */
export function nodeJson(node: YamlNode): string | undefined {
  if (node.kind === 'scalar') return scalarJson(node)
  if (node.kind === 'list') {
    const items = node.items.map(item => nodeJson(item.node))
    return items.includes(undefined) ? undefined : `[${items.join()}]`
  }
  const texts = new Map(node.pairs.map(pair => [pair.name, nodeJson(pair.node)]))
  const names = [...texts.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const pairs = names.map(name => `${goJson(name)}:${texts.get(name) ?? ''}`)
  return [...texts.values()].includes(undefined) ? undefined : `{${pairs.join()}}`
}

const wholeText = (scalar: YamlScalar): string | undefined =>
  resolveScalar(scalar).tag === '!!int' ? wholeNumber(scalar.text.replaceAll('_', ''))?.toString() : undefined

/** Formats a float as Go's `strconv.FormatFloat(value, 'g', -1, bits)`: the fewest digits that give the same float, with an exponent outside 1e-4 … 1e6. */
function floatText(value: number, bits: 32 | 64): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [digits = '', power = ''] = shortest(Math.abs(value), bits).split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return sign + plainDigits(digits, exponent)
  return `${sign}${digits}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`
}

function plainDigits(digits: string, exponent: number): string {
  const all = digits.replace('.', '')
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${all}`
  const whole = all.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = all.slice(exponent + 1)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function shortest(value: number, bits: 32 | 64): string {
  if (bits === 64) return value.toExponential()
  const wanted = Math.fround(value)
  for (let digits = 0; digits < 9; digits++) {
    const text = wanted.toExponential(digits)
    if (Math.fround(Number(text)) === wanted) return text
  }
  return wanted.toExponential(9)
}

const two = (part: string): string => part.padStart(2, '0')

/** Returns a date as Go's `time.Time` prints itself. */
function timeText(text: string): string {
  const [year = '', month = '', day = '', hour = '0', minute = '0', second = '0', ...rest] = text.split(/[-Tt :.Z+]/)
  const fraction = /\.(\d*?)0*(?:$|\D)/.exec(text)?.[1] ?? ''
  const zone = rest.length > 1 ? (/[-+]\d\d:\d\d$/.exec(text)?.[0].replace(':', '') ?? '') : ''
  const time = `${two(hour)}:${two(minute)}:${two(second)}${fraction && `.${fraction}`}`
  return `${year}-${two(month)}-${two(day)} ${time} ${zone || '+0000'} ${zone || 'UTC'}`
}
