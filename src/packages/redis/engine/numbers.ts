import {mustBePositive, notFloat, notInteger, overflow} from './errors.ts'
import {RedisError} from './result.ts'

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)

/** Parses an integer as Redis' `string2ll` does: no spaces, no plus, no leading zeros; undefined: another text. */
export function parseInteger(text: string): number | undefined {
  if (text.length > 16) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) && value.toString() === text ? value : undefined
}

/** Parses an integer of 64 bits; undefined: another text. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined
  const value = BigInt(text)
  return isInt64(value) ? value : undefined
}

const isInt64 = (value: bigint): boolean => value >= MIN_INT64 && value <= MAX_INT64

/** Parses an integer argument. Numbers beyond 2^53, which only limits and times have, become the nearest exact ones. */
export function integer(text: string, fault: () => RedisError = notInteger): number {
  const value = parseInteger(text)
  if (value !== undefined) return value
  const large = parseInt64(text)
  if (large === undefined) throw fault()
  return large > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

/** Reads a count argument: 0 or more. */
export function countIn(text: string): number {
  const count = integer(text, mustBePositive)
  if (count < 0) throw mustBePositive()
  return count
}

/** Reads a floating point number as strtod(3) does, without forms of JavaScript alone. */
export function parseFloating(text: string): number | undefined {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text)
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined
  return Number(text)
}

export function floating(text: string, fault: () => RedisError = notFloat): number {
  const value = parseFloating(text)
  if (value === undefined) throw fault()
  return value
}

/** Reads an integer of 64 bits. Throws for other texts. */
export function int64(text: string, fault: () => RedisError = notInteger): bigint {
  const value = parseInt64(text)
  if (value === undefined) throw fault()
  return value
}

/** Throws if the sum does not fit into 64 bits. */
export function addInt64(left: bigint, right: bigint): bigint {
  const sum = left + right
  if (!isInt64(sum)) throw overflow()
  return sum
}

/** Decimals that Redis prints, and the longest text that it reads as a number. */
const PLACES = 17
const MAX_CHARACTERS = 5 * 1024
/** Maximum digits: Redis' numbers are larger than JavaScript's. */
const MAX_DIGITS = 4932
const infinite = (): RedisError => new RedisError('ERR increment would produce NaN or Infinity')

/** Reads a decimal number in units of its last place. Throws for other texts and infinity. */
function decimal(text: string, fault: () => RedisError): bigint {
  if (text.length >= MAX_CHARACTERS) throw fault()
  if (floating(text, fault) === 0) return 0n
  if (/i/i.test(text)) throw infinite()
  const [digits = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = digits.replace('+', '').split('.')
  if (whole.length + Number(exponent) > MAX_DIGITS) throw fault()
  const shift = PLACES - fraction.length + Number(exponent)
  const all = BigInt(whole + fraction)
  return shift < 0 ? all / 10n ** BigInt(-shift) : all * 10n ** BigInt(shift)
}

/** Adds decimal numbers exactly. Redis computes with 64 bits, and prints rounding errors. */
export function addFloating(left: string, right: string, fault = notFloat): string {
  const sum = decimal(left, fault) + decimal(right, notFloat)
  const digits = (sum < 0n ? -sum : sum).toString().padStart(PLACES + 1, '0')
  if (digits.length > PLACES + MAX_DIGITS) throw infinite()
  const fraction = digits.slice(-PLACES).replace(/0+$/, '')
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${fraction === '' ? '' : `.${fraction}`}`
}

/** Returns non-negative start and end, as for `slice`, of a range that may count from the end. */
export function clampRange(start: number, stop: number, length: number): readonly [from: number, to: number] {
  const from = Math.max(start < 0 ? length + start : start, 0)
  const to = Math.min(stop < 0 ? length + stop : stop, length - 1)
  return [from, Math.max(to + 1, 0)]
}

/** Returns the index of the first element from `head` on that is not before the wanted place. */
export function bisect<T>(sorted: readonly T[], isBefore: (each: T) => boolean, head = 0): number {
  let [low, high] = [head, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(sorted[middle] as T)) low = middle + 1
    else high = middle
  }
  return low
}
