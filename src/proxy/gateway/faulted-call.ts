import type {Hit} from '../faults/hit.ts'
import type {Call} from '../../model/call.ts'
import {BrokenResponse} from '../net/broken-response.ts'

/** Failure text of a call whose caller's connection a fault has reset. */
export const RESET = 'the connection was reset by a fault'

/** Returns how a fault interrupts the response; undefined: it does not. `pid`: process of the callee; 0: none that Pillion may kill. */
export function brokenBy(hit: Hit, {callee}: Call, pid = 0): BrokenResponse | undefined {
  if (hit.kind === 'cut') return new BrokenResponse(hit.plan.cutAfter)
  if (hit.kind !== 'kill' || pid === 0) return undefined
  // kills the callee in the next turn of the event loop: the first piece of the request is written in this turn
  return new BrokenResponse(-1, () => void setImmediate(() => hit.kill(callee, pid)))
}
