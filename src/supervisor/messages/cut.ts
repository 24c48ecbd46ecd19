import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'

const MAX_NAMED = 3

export interface Cut {
  readonly id: string
  /** Calls that were cancelled, at least one. */
  readonly left: readonly PendingCall[]
  /** Time that the calls had to finish, in ms. */
  readonly ms: number
  /** Event at which that time began: `the change`. */
  readonly after: string
}

/** Returns the message about calls to an app that did not finish in time and were cancelled. */
export function cutText({id, left, ms, after}: Cut): string {
  const named = firstOf(left.map(({method, path, caller}) => `${method} ${path} from ${caller}`))
  const [calls, verb] = left.length === 1 ? ['1 call', 'was'] : [`${left.length} calls`, 'were']
  return `"${id}": ${calls} ${verb} still in flight ${inSeconds(ms)} s after ${after} and ${verb} cancelled: ${named}`
}

/** Lists the first three names, and counts the others. */
export const firstOf = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMED).join(', ') + (names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '')

/** Returns a duration in seconds, to a tenth, or exactly below 100 ms. */
export const inSeconds = (ms: number): string => (ms < 100 ? ms / 1000 : Math.round(ms / 100) / 10).toString()
