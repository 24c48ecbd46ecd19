import {invalidExpire, syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'

/** The time at which a key expires, in milliseconds since 1970. */
export interface Expiry {
  readonly at: number
}

/** The options EX, PX, EXAT and PXAT of SET and GETEX. */
export function parseExpiry(unit: string, time: string, command: string): Expiry {
  const isSeconds = unit === 'EX' || unit === 'EXAT'
  if (!isSeconds && unit !== 'PX' && unit !== 'PXAT') throw syntaxError()
  const value = integer(time)
  if (value <= 0) throw invalidExpire(command)
  return {at: expiryAt(value, isSeconds, !unit.endsWith('AT'), command)}
}

/** Seconds or milliseconds, from now or since 1970, in milliseconds since 1970. */
export function expiryAt(value: number, isSeconds: boolean, isRelative: boolean, command: string): number {
  const at = value * (isSeconds ? 1000 : 1) + (isRelative ? Date.now() : 0)
  if (!Number.isSafeInteger(at)) throw invalidExpire(command)
  return at
}
