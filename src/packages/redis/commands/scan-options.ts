import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {matching} from '../engine/pattern.ts'
import {RedisError} from '../engine/result.ts'

export interface ScanOptions {
  readonly pattern: string | undefined
  readonly count: number
  readonly type: string | undefined
}

const invalidCursor = (): RedisError => new RedisError('ERR invalid cursor')

export function parseCursor(text: string): number {
  if (!/^\d{1,20}$/.test(text)) throw invalidCursor()
  return Number(text)
}

/** MATCH, COUNT and, for SCAN, TYPE. */
export function parseScanOptions(options: readonly string[], mayHaveType = false): ScanOptions {
  let pattern: string | undefined
  let type: string | undefined
  let count = 10
  for (let at = 0; at < options.length; at += 2) {
    const value = options[at + 1]
    const name = (options[at] ?? '').toUpperCase()
    if (value === undefined) throw syntaxError()
    if (name === 'MATCH') pattern = value
    else if (name === 'COUNT') {
      count = integer(value)
      if (count < 1) throw syntaxError()
    } else if (name === 'TYPE' && mayHaveType) type = value.toLowerCase()
    else throw syntaxError()
  }
  return {pattern, count, type}
}

/** HSCAN, SSCAN, ZSCAN: all members at once, as Redis answers for a small collection. */
export function scanned(members: readonly string[], cursor: string, options: readonly string[]): readonly string[] {
  parseCursor(cursor)
  const {pattern} = parseScanOptions(options)
  return pattern === undefined ? members : matching(members, pattern)
}
