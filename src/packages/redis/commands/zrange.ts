import {reads, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import {syntaxError} from '../engine/errors.ts'
import {clampRange, integer, floating} from '../engine/numbers.ts'
import {Double, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import type {Scored} from '../engine/sorted-set.ts'

/** Returns a test for members between two scores; `(` excludes the score itself. */
export function scoreRange(min: string, max: string): (each: Scored) => boolean {
  const [low, high] = [bound(min), bound(max)]
  return ({score}) =>
    (low.isOpen ? score > low.score : score >= low.score) && (high.isOpen ? score < high.score : score <= high.score)
}

function bound(text: string): {readonly isOpen: boolean; readonly score: number} {
  const isOpen = text.startsWith('(')
  return {isOpen, score: floating(isOpen ? text.slice(1) : text, () => new RedisError('ERR min or max is not a float'))}
}

/** Returns a test for members between two texts: `[a` includes `a`, `(a` excludes it, `-` and `+` are the ends. */
function lexRange(min: string, max: string): (each: Scored) => boolean {
  const isAbove = lexBound(min, (member, edge, isOpen) => (isOpen ? member > edge : member >= edge))
  const isBelow = lexBound(max, (member, edge, isOpen) => (isOpen ? member < edge : member <= edge))
  return ({member}) => isAbove(member, '-') && isBelow(member, '+')
}

function lexBound(
  text: string,
  isWithin: (member: string, edge: string, isOpen: boolean) => boolean
): (member: string, open: string) => boolean {
  if (text === '-' || text === '+') return (_, open) => text === open
  const isOpen = text.startsWith('(')
  if (!isOpen && !text.startsWith('[')) throw new RedisError('ERR min or max not valid string range item')
  const edge = text.slice(1)
  return member => isWithin(member, edge, isOpen)
}

type By = 'rank' | 'score' | 'lex'

interface Range {
  by: By
  isReversed: boolean
  hasScores: boolean
  limit: readonly [offset: number, count: number] | undefined
}

/** ZRANGE with its options, and the older commands that it replaces. */
export const rangeCommands: CommandTable = {
  zrange: ranges('rank', false, new Set(['BYSCORE', 'BYLEX', 'REV', 'LIMIT', 'WITHSCORES'])),
  zrevrange: ranges('rank', true, new Set(['WITHSCORES'])),
  zrangebyscore: ranges('score', false, new Set(['LIMIT', 'WITHSCORES'])),
  zrevrangebyscore: ranges('score', true, new Set(['LIMIT', 'WITHSCORES'])),
  zrangebylex: ranges('lex', false, new Set(['LIMIT'])),
  zrevrangebylex: ranges('lex', true, new Set(['LIMIT']))
}

function ranges(by: By, isReversed: boolean, known: ReadonlySet<string>): CommandDefinition {
  return reads(-4, (session, [key = '', min = '', max = '', ...options]) => {
    const range = readOptions({by, isReversed, hasScores: false, limit: undefined}, options, known)
    return show(session, select(session, [key, min, max], range), range.hasScores)
  })
}

function readOptions(range: Range, options: readonly string[], known: ReadonlySet<string>): Range {
  for (let at = 0; at < options.length; at++) {
    const option = (options[at] ?? '').toUpperCase()
    if (!known.has(option)) throw syntaxError()
    if (option === 'BYSCORE') range.by = 'score'
    else if (option === 'BYLEX') range.by = 'lex'
    else if (option === 'REV') range.isReversed = true
    else if (option === 'WITHSCORES') range.hasScores = true
    else {
      if (at + 2 >= options.length) throw syntaxError()
      range.limit = [integer(options[++at] ?? ''), integer(options[++at] ?? '')]
    }
  }
  if (range.limit !== undefined && range.by === 'rank')
    throw new RedisError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
  if (range.hasScores && range.by === 'lex')
    throw new RedisError('ERR syntax error, WITHSCORES not supported in combination with BYLEX')
  return range
}

function select({db}: Session, [key = '', from = '', to = '']: readonly string[], range: Range): readonly Scored[] {
  const {by, isReversed, limit} = range
  const [min, max] = isReversed && by !== 'rank' ? [to, from] : [from, to]
  const bounds = by === 'rank' ? ([integer(min), integer(max)] as const) : undefined
  const isIn = by === 'score' ? scoreRange(min, max) : by === 'lex' ? lexRange(min, max) : undefined
  const ordered = db.sortedSet(key)?.ordered ?? []
  const all = isReversed ? ordered.toReversed() : ordered
  if (isIn === undefined) return bounds === undefined ? [] : all.slice(...clampRange(...bounds, all.length))
  const found = all.filter(isIn)
  if (limit === undefined) return found
  const [offset, count] = limit
  return offset < 0 ? [] : found.slice(offset, count < 0 ? undefined : offset + count)
}

/** RESP3 has a pair for each member, RESP2 a flat list. */
function show({protocol}: Session, found: readonly Scored[], hasScores: boolean): Result {
  if (!hasScores) return found.map(({member}) => member)
  const pairs = found.map(({member, score}) => [member, new Double(score)])
  return protocol === 3 ? pairs : pairs.flat()
}
