import {decoded} from '../../../src/model/bytes.ts'
import {messageOf} from '../../../src/model/errors.ts'
import type {Reader} from './reader.ts'
import type {Written} from './writing-app.ts'

const MAX_LINE = 1024 * 1024

/** A read that goes on, and how many lines each stream had as it began. */
export interface Read {
  readonly reader: Reader
  readonly ids: readonly string[]
  readonly kind: 'kept' | 'followed' | 'stretch'
  readonly tail: number
  readonly since: number
  readonly isBytes: boolean
  begun: ReadonlyMap<string, number>
  /** Lines that there were to read. */
  there: ReadonlySet<string>
  isAllThere: boolean
  upTo: ReadonlyMap<string, number> | undefined
}

interface Judged {
  readonly streams: readonly Written[]
  /** Their files have all lines, in the order in which they came: nothing has failed, was edited, or had to wait for a long line. */
  readonly isSure: boolean
  /** Lines of ours about processes. */
  readonly ends: number
  readonly hasJumped: boolean
  /** Whether a line that was there has not been rotated away since. */
  readonly isStillThere: (key: string) => boolean
}

/** What is wrong with what a reader got: each line once, in its order, and whole. */
export function faultsInRead(read: Read, {streams, isSure, ends, hasJumped, isStillThere}: Judged): readonly string[] {
  const faults: string[] = []
  const {reader, kind, begun, tail, since, ids, there} = read
  const fault = (text: string): unknown => faults.push(`${text} (${kind} ${reader.query}, ${ids.join(' ')})`)
  if (reader.hasLeft || (read.isBytes && !isSure)) return faults
  if (reader.error !== undefined) return isSure ? [`it fails: ${messageOf(reader.error)}`] : faults
  const upTo =
    read.upTo ??
    (kind !== 'followed' ? begun : undefined) ??
    new Map(streams.map(({key, lines}) => [key, lines.length]))
  const rows = reader.rows
  const seen = new Set<string>()
  const last = new Map<string, number>()
  const isAllThere = read.isAllThere && isSure
  let dropped = 0
  let missing = 0
  let old = 0
  for (const row of rows) {
    if ('note' in row) dropped += Number(/^… (\d+) lines dropped/.exec(row.note)?.[1] ?? 0)
    // what is read of a file that was edited just now may be anything
    if (!('line' in row) || (row.stream === null && !isSure)) continue
    const [, key = '', n = ''] = /^(\w+[oe])(\d+):/.exec(row.line) ?? []
    const written = streams.find(each => each.key === key)
    if (written === undefined) continue
    const at = Number(n)
    const before = last.get(key)
    const isOld = at < (begun.get(key) ?? 0)
    if (before !== undefined && at <= before && (isSure || !isOld)) fault(`${key}${at} comes after ${key}${before}`)
    if (isOld) old++
    else missing += Math.max(0, at - 1 - Math.max(before ?? 0, (begun.get(key) ?? 0) - 1))
    if (isOld && before !== undefined && at > before + 1 && isAllThere)
      fault(`${key}${before + 1} is missing before ${at}`)
    last.set(key, at)
    seen.add(`${key}${at}`)
    const expected =
      at === written.lines.length ? undefined : decoded((written.lines[at] ?? '').slice(0, MAX_LINE)).replace(/\r$/, '')
    if (
      expected !== undefined &&
      row.line !== expected &&
      !written.broken.has(at) &&
      isAllThere &&
      row.line.length < MAX_LINE
    )
      fault(`${key}${at} is cut: ${row.line.slice(0, 60)} ${row.line.length} of ${expected.length}`)
  }
  for (const {key} of streams) {
    const end = upTo.get(key) ?? 0
    const from = begun.get(key) ?? 0
    missing += Math.max(0, end - Math.max(last.get(key) ?? -1, from - 1) - 1)
    if (!read.isBytes && (last.get(key) ?? -1) >= end && !streams.some(({broken}) => broken.has(end)))
      fault(`${key}${last.get(key)} is of later`)
  }
  if (missing > dropped || dropped > missing + ends)
    fault(`${missing} lines are missing, ${dropped} were said to be dropped`)
  if (tail < 0)
    for (const each of there)
      if (!seen.has(each) && isSure && since === 0 && isStillThere(each)) fault(`${each} was there, and is not read`)
  if (tail < 0 && since > 0 && !hasJumped && read.isAllThere && isSure)
    for (const {key, times} of streams)
      for (const [at, time] of times.slice(0, begun.get(key) ?? 0).entries())
        if (time >= since && !seen.has(`${key}${at}`)) fault(`${key}${at} of ${time} is missing since ${since}`)
  const all = [...begun.values()].reduce((sum, n) => sum + n, 0)
  const others = rows.filter(row => 'line' in row && row.stream !== 'stdout' && row.stream !== 'stderr').length
  if (tail >= 0 && old > tail) fault(`${old} lines instead of ${tail}`)
  // lines of ours have no prefix in a file
  if (tail >= 0 && since === 0 && isAllThere && !read.isBytes && old + others < Math.min(tail, all))
    fault(`${old} lines and ${others} instead of ${tail} of ${all}`)
  if (tail < 0 && since === 0 && kind !== 'stretch' && isAllThere && old < all) fault(`${old} lines of ${all}`)
  return faults
}
