import {existsSync, lstatSync, readFileSync} from 'node:fs'
import type {AppLog} from '../../../src/observe/logging/app-log.ts'
import type {Written} from './writing-app.ts'

/** The log of an app until an edit opens it again, and from which lines on it has those of each stream. */
export interface Part {
  readonly log: AppLog
  readonly from: readonly number[]
  to: readonly number[] | undefined
  isEdited: boolean
  hasFailed: boolean
  /** Its file was looked at since it was edited: lines from here on are in it. */
  sure?: readonly number[] | undefined
}

interface Kept {
  readonly id: string
  readonly part: Part
  readonly streams: readonly Written[]
  readonly size: number
}

/** What is wrong with the files of a log: each line is there once, in its order, and whole, or a line says that it is missing. */
export function faultsInFiles({id, part, streams, size}: Kept): readonly string[] {
  const faults: string[] = []
  const {path} = part.log
  const files = [`${path}.1`, path].map(each => (existsSync(each) ? readFileSync(each, 'latin1') : ''))
  const most = size === 0 ? Infinity : size / 2
  for (const text of files) {
    const longest = Math.max(...text.split('\n').map(each => each.length), 0) + 1
    if (!part.isEdited && text.length > most + longest)
      faults.push(`a file of ${text.length} bytes, with a size of ${size}`)
  }
  const all = files.join('')
  if (!part.isEdited && all !== '' && !all.endsWith('\n') && part.to !== undefined && !part.hasFailed)
    faults.push('the last line has no end')
  const last = new Map<string, number>()
  let missing = 0
  let noted = 0
  const isRotated = files[0] !== ''
  for (const line of all.split('\n')) {
    noted += Number(/^\.\.\. (\d+) lines? (?:is|are) missing here/.exec(line)?.[1] ?? 0)
    const text = line.startsWith(`== APP - ${id} == `) ? line.slice(`== APP - ${id} == `.length) : undefined
    const [, key = '', n = ''] = /^(\w+[oe])(\d+):/.exec(text ?? '') ?? []
    const written = streams.find(each => each.key === key)
    if (written === undefined || text === undefined) continue
    const at = Number(n)
    const stream = streams.indexOf(written)
    const before = last.get(key) ?? (isRotated ? at - 1 : (part.from[stream] ?? 0) - 1)
    if (at <= before) faults.push(`${key}${at} is in the file after ${key}${before}`)
    missing += Math.max(0, at - before - 1)
    last.set(key, at)
    const expected = at === written.lines.length ? written.open : (written.lines[at] ?? '')
    if (text === expected || part.isEdited || part.hasFailed) continue
    if (!written.broken.has(at) && !(at === written.lines.length))
      faults.push(`${key}${at} is cut in the file: ${text.slice(0, 60)} ${text.length} of ${expected.length}`)
  }
  const to = part.to ?? streams.map(({lines}) => lines.length)
  for (const [at, {key}] of streams.entries()) {
    const end = last.get(key) ?? (isRotated || all === '' ? (to[at] ?? 0) - 1 : (part.from[at] ?? 0) - 1)
    missing += Math.max(0, (to[at] ?? 0) - 1 - end)
  }
  // what waits for the end of a long line comes later
  const isHeld = part.to === undefined ? streams.some(({open}) => open.length > 60_000) : part.hasFailed
  const keys = new Set([...all.matchAll(/^== APP - \w+ == (\w+[oe]\d+):/gm)].map(([, key = '']) => key))
  const isLink = lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink() === true
  if (part.sure !== undefined && !isLink && size === 0 && !part.hasFailed && !isHeld)
    for (const [at, {key, lines}] of streams.entries())
      for (let n = part.sure[at] ?? 0; n < Math.min(to[at] ?? 0, lines.length); n++)
        if (!keys.has(`${key}${n}`)) faults.push(`${key}${n} is not in the file that was edited before`)
  if (!part.isEdited && !isHeld && (missing > noted || (!isRotated && noted > missing + 10)))
    faults.push(`${missing} lines are missing in the file, ${noted} are noted`)
  return faults
}
