import {stripVTControlCharacters} from 'node:util'
import type {Exit} from '../../state.ts'
import type {Caught} from '../calls/gate.ts'
import {endOf} from './reasons.ts'

/** A life that ended badly, and what is known about it. */
export interface Death {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** The calls that were under way in it. */
  readonly caught: readonly Caught[]
  /** Its last words on stderr. */
  readonly lastLines: readonly string[]
}

const MOST_LINES = 5
const MOST_CALLS = 5

/** What killed it: how it ended and after how long, what it was doing for whom, and its last words. */
export function deathNote({id, exit, livedMs, caught, lastLines}: Death): string {
  const lived = exit.kind === 'spawn-error' ? '' : ` after ${durationWords(livedMs)}`
  const [call] = caught
  const during = call === undefined ? '' : ` while handling ${caught.length === 1 ? callWords(call) : count(caught)}`
  const details = [...(caught.length > 1 ? listed(caught) : []), ...quoted(lastLines)]
  return [`"${id}" ${endOf(exit)}${lived}${during}`, ...details].join('\n    ')
}

const count = (calls: readonly Caught[]): string => `${calls.length.toString()} calls`

function listed(caught: readonly Caught[]): readonly string[] {
  const shown = caught.slice(0, MOST_CALLS).map(callWords)
  const more = caught.length - shown.length
  return more === 0 ? shown : [...shown, `and ${more.toString()} more`]
}

const quoted = (lines: readonly string[]): readonly string[] =>
  lines.slice(-MOST_LINES).map(line => `stderr: ${stripVTControlCharacters(line)}`)

const callWords = ({visit: {method, path, caller}, forMs}: Caught): string =>
  `${method} ${path} from ${caller} (${durationWords(forMs)})`

/** `18 ms`, `12.4 s`, `3 min 5 s`. */
function durationWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms).toString()} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60).toString()} min ${(seconds % 60).toString()} s`
}
