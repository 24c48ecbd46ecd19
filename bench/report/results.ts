import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Measure} from '../figure.ts'

export const DOCS = join(import.meta.dirname, '../../docs')
const FILE = join(DOCS, 'performance.json')

/** The newest result of one figure, and under which circumstances it was taken. */
export interface Taken {
  /** The day, `YYYY-MM-DD`. */
  readonly date: string
  readonly machine: string
  /** What took part, by name. */
  readonly versions: Readonly<Record<string, string>>
  /** It was only to be seen that the figure works: it does not tell where it stands. */
  readonly isShort: boolean
  readonly measures: readonly Measure[]
}

/** By the name of the figure. */
export type Results = Readonly<Record<string, Taken>>

export function readResults(): Results {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Results
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** Numbers keep four digits: more is noise. */
const short = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)

/** Keeps the result of a figure in place of its last one; gives all. */
export function keepResult(name: string, taken: Taken): Results {
  const all = Object.entries({...readResults(), [name]: taken}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), (_, value) => short(value), 1)}\n`)
  return readResults()
}
