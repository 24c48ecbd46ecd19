import type {PendingCall} from '../../gateway/admission-queue.ts'

const MAX_NAMED = 3

export interface Cut {
  readonly id: string
  /** Never none. */
  readonly left: readonly PendingCall[]
  /** How long they had to end. */
  readonly ms: number
  /** After what: `the change`. */
  readonly after: string
}

/** Says which calls to an app did not end in time, and were cut off. */
export function cutText({id, left, ms, after}: Cut): string {
  const named = left.slice(0, MAX_NAMED).map(({method, path, caller}) => `${method} ${path} from ${caller}`)
  const more = left.length > named.length ? ` and ${(left.length - named.length).toString()} more` : ''
  const calls = left.length === 1 ? '1 call was' : `${left.length.toString()} calls were`
  const seconds = (ms / 1000).toString()
  return `"${id}": ${calls} still under way ${seconds} s after ${after}, and cut off: ${named.join(', ')}${more}`
}
