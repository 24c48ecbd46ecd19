import {writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import {Blocked, RedisError} from '../engine/result.ts'
import {parseFloating} from '../engine/numbers.ts'
import type {Session} from '../engine/session.ts'
import {moveElement, pop, sideOf, type Side} from './lists.ts'

export const BLOCKING_LISTS: CommandTable = {
  blpop: popsLater('left'),
  brpop: popsLater('right'),
  brpoplpush: writes(
    4,
    (session, [from = '', to = '', timeout = '']) =>
      moveLater(session, {from, to, source: 'right', target: 'left', timeout}),
    [1, 2, 1]
  ),
  blmove: writes(
    6,
    (session, [from = '', to = '', source = '', target = '', timeout = '']) =>
      moveLater(session, {from, to, source: sideOf(source), target: sideOf(target), timeout}),
    [1, 2, 1]
  )
}

function popsLater(side: Side): CommandDefinition {
  return writes(
    -3,
    ({db}, args) => {
      const keys = args.slice(0, -1)
      const timeoutMs = parseTimeout(args.at(-1) ?? '')
      const attempt = (isFirst = false): readonly string[] | undefined => {
        for (const key of keys) {
          // a key that has another type by then is waited for further
          const value = isFirst || Array.isArray(db.get(key)) ? pop(db, key, side) : undefined
          if (value !== undefined) return [key, value]
        }
        return undefined
      }
      return attempt(true) ?? new Blocked(keys, timeoutMs, attempt)
    },
    [1, -2, 1]
  )
}

interface Move {
  readonly from: string
  readonly to: string
  readonly source: Side
  readonly target: Side
  readonly timeout: string
}

function moveLater({db}: Session, {from, to, source, target, timeout}: Move): string | Blocked {
  const timeoutMs = parseTimeout(timeout)
  const attempt = (isFirst = false): string | undefined =>
    isFirst || Array.isArray(db.get(from)) ? moveElement(db, from, to, source, target) : undefined
  return attempt(true) ?? new Blocked([from], timeoutMs, attempt, null)
}

/** Seconds, with fractions. */
function parseTimeout(text: string): number {
  const seconds = parseFloating(text)
  if (seconds === undefined || !Number.isFinite(seconds))
    throw new RedisError('ERR timeout is not a float or out of range')
  if (seconds < 0) throw new RedisError('ERR timeout is negative')
  return Math.ceil(seconds * 1000)
}
