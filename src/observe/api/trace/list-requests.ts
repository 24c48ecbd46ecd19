import type * as Api from '../../../model/api.generated.ts'
import {contentOf} from '../../telemetry/recorder/call-content.ts'
import {readFilter} from '../../telemetry/recorder/filter.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import {rowOf} from '../call-view.ts'
import type {RunFacts, WorkAccess} from '../run-facts.ts'
import {Turns} from '../turns.ts'
import {gather} from './gather.ts'

/** Maximum number of latest calls to join: the list is requested each second, and all would take too long. */
const MAX_CALLS = 2000

type Facts = Pick<RunFacts, 'recorder' | 'masked'> & {readonly work: Pick<WorkAccess, 'openWorkflows'>}

/**
 * Lists the latest requests, the latest first: each is a call without a parent, with its descendants. `q`: a filter that one of its calls
 * matches. Lets the event loop do other work in between. Rejects with a UserError for a faulty filter.
 */
export async function listRequests(
  {recorder, work, masked}: Facts,
  q: string,
  limit: number
): Promise<readonly Api.RequestRow[]> {
  const matches = readFilter(q, recorder)
  const masking = new Masking(masked())
  const turns = new Turns(() => recorder.last)
  const {links, failed} = await gather(recorder, work.openWorkflows(), turns, MAX_CALLS)
  const firstOf = (number: number): number => {
    let first = number
    for (let link = links.of(number); link !== undefined; link = links.of(link.parent))
      if (link.parent > 0) first = link.parent
    return first
  }
  const found = new Map<number, {calls: number; failedCalls: number; isWanted: boolean}>()
  for (const number of recorder.numbers().slice(0, MAX_CALLS)) {
    await turns.next()
    const call = recorder.call(number)
    if (call === undefined) continue
    const first = firstOf(number)
    const request = found.get(first) ?? {calls: 0, failedCalls: 0, isWanted: false}
    found.set(first, request)
    request.calls++
    if (failed.has(number)) request.failedCalls++
    request.isWanted ||= matches(call, () => contentOf(call))
  }
  return [...found]
    .filter(([, {isWanted}]) => isWanted)
    .toSorted(([a], [b]) => b - a)
    .slice(0, limit)
    .flatMap(([number, {calls, failedCalls}]) => {
      const call = recorder.call(number)
      return call === undefined ? [] : [{...rowOf(call, contentOf(call), masking), calls, failedCalls}]
    })
}
