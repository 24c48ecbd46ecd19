import {spokenDuration} from './duration.ts'

/** Equal calls that were in flight when a process ended: the oldest of them. */
export interface CallInFlight {
  readonly method: string
  readonly path: string
  readonly from: string
  readonly forMs: number
  /** How many there were. */
  readonly count: number
}

/** Facts about an unexpected exit. */
export interface ExitFacts {
  /** Its id, with a number if it is not the first instance. */
  readonly name: string
  /** `exited with code 1` (`endOf`). */
  readonly exit: string
  /** Life of the process in ms. Undefined if no process was started. */
  readonly livedMs: number | undefined
  readonly calls: readonly CallInFlight[]
  /** The workflows and activities that its worker was running (`heldWorkText`). */
  readonly work: readonly string[]
}

/**
 * The one sentence about an exit, which terminal, page, `why`, events, reports and coding agents share (docs/states.md):
 * `"payments" exited with code 1 after 12.4 s while handling POST /charge from orders (98 ms)`.
 */
export function exitSentence({name, exit, livedMs, calls, work}: ExitFacts): string {
  const [call] = calls
  const [task] = work
  const inside = [
    ...(call === undefined ? [] : [calls.length === 1 ? callInFlight(call) : `${callCount(calls)} calls`]),
    ...(task === undefined ? [] : [work.length === 1 ? task : `${work.length} tasks of workflows`])
  ]
  const lived = livedMs === undefined ? '' : ` after ${spokenDuration(livedMs)}`
  return `"${name}" ${exit}${lived}${inside.length === 0 ? '' : ` while handling ${inside.join(' and ')}`}`
}

/** `POST /charge from orders (98 ms)`. */
export const callInFlight = ({method, path, from, forMs, count}: CallInFlight): string =>
  `${method} ${path} from ${from} (${spokenDuration(forMs)})${count === 1 ? '' : ` ×${count}`}`

export const callCount = (calls: readonly {readonly count: number}[]): number =>
  calls.reduce((sum, {count}) => sum + count, 0)
