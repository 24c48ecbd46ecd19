import type {Hit} from '../faults/hit.ts'
import type {Call} from '../../model/call.ts'
import {BrokenResponse} from '../net/broken-response.ts'

/** The failure of a call whose caller's connection is reset. */
export const RESET = 'the connection was reset by a fault'

/** Returns how a fault breaks off the response, if it does. `pid`: of the callee, 0 without a process that we may kill. */
export function brokenBy(hit: Hit, {callee}: Call, pid = 0): BrokenResponse | undefined {
  if (hit.kind === 'cut') return new BrokenResponse(hit.plan.cutAfter)
  if (hit.kind !== 'kill' || pid === 0) return undefined
  // the first piece of the request is written in this turn of the event loop
  return new BrokenResponse(-1, () => void setImmediate(() => hit.kill(callee, pid)))
}
