import type {Hit} from '../faults/faults.ts'
import type {Call} from '../model/call.ts'
import {BrokenResponse} from '../net/broken-response.ts'
import type {Reply} from '../net/reply.ts'
import type {Held} from './admission.ts'

/** The failure of a call whose caller's connection is reset. */
export const RESET = 'the connection was reset by a fault'

/** The delay of a call that a fault has hit: it waits, and is not admitted yet. */
export interface Delay extends Omit<Held, 'admitted'> {
  readonly admitted: Promise<undefined>
}

/** The delay of a call that a fault has hit; undefined if it has none. Timeouts include it, and removing the rule ends it. */
export function delayOf(hit: Hit): Delay | undefined {
  const {number, kind, delayMs} = hit
  if (delayMs <= 0 && kind !== 'never') return undefined
  const {promise, resolve} = Promise.withResolvers<undefined>()
  const end = (): void => {
    clearTimeout(timer)
    off()
    resolve(undefined)
  }
  const off = hit.onOver(end)
  const timer = kind === 'never' ? undefined : setTimeout(end, delayMs)
  return {admitted: promise, isCounted: true, reason: `fault ${number.toString()}`, cancel: end}
}

/** The response of a fault with a status. */
export function replyOf({number, plan: {status, body}}: Hit): Reply {
  if (status === 204 || status === 304) return {status, type: '', body: '', lines: ''}
  const text = body === '' ? `${nameOf(number)}\n` : body
  return {status, type: isJson(text) ? 'application/json' : 'text/plain', body: text, lines: ''}
}

/** The body of a fault's response if the rule does not define one. */
export const nameOf = (number: number): string => `fault ${number.toString()} of Pillion`

/** How the response breaks off; undefined if it does not. `pid`: of the callee, 0 if there is no process that we may kill. */
export function brokenBy(hit: Hit, {callee}: Call, pid = 0): BrokenResponse | undefined {
  if (hit.kind === 'cut') return new BrokenResponse(hit.plan.cutAfter)
  if (hit.kind !== 'kill' || pid === 0) return undefined
  // the first piece of the request is written in this turn of the event loop
  return new BrokenResponse(-1, () => void setImmediate(() => hit.kill(callee, pid)))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
