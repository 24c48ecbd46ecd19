import {floating} from '../engine/numbers.ts'
import {RedisError} from '../engine/result.ts'
import type {Scored} from '../engine/sorted-set.ts'

/** The members between two scores; `(` leaves the score itself out. */
export function scoreRange(min: string, max: string): (each: Scored) => boolean {
  const [low, high] = [bound(min), bound(max)]
  return ({score}) =>
    (low.isOpen ? score > low.score : score >= low.score) && (high.isOpen ? score < high.score : score <= high.score)
}

function bound(text: string): {readonly isOpen: boolean; readonly score: number} {
  const isOpen = text.startsWith('(')
  const score = floating(isOpen ? text.slice(1) : text, () => new RedisError('ERR min or max is not a float'))
  return {isOpen, score}
}

/** The members between two texts: `[a` with itself, `(a` without, `-` and `+` for the ends. */
export function lexRange(min: string, max: string): (each: Scored) => boolean {
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
