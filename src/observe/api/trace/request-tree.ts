import type * as Api from '../../../model/api.generated.ts'
import {traceIdOf} from '../../../model/traceparent.ts'
import {contentOf, tracesOf} from '../../telemetry/recorder/call-content.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {rowOf} from '../call-view.ts'
import {listCalls, recordedCall} from '../calls.ts'
import {ApiProblem} from '../problem.ts'
import {Turns} from '../turns.ts'
import {CallLinks, type TracedCall} from './link-calls.ts'

/** Calls of one tree that are shown. */
const MAX_CALLS = 1000

/**
 * The request that a call belongs to, with all calls that were made for it; of a trace that began outside all its requests. `q`: the number of that call, or a filter that matches it: the
 * latest one. Takes short turns. Rejects with an ApiProblem if there is none, with a UserError for a faulty filter.
 */
export async function requestTree(recorder: CallRecorder, q: string, masking: Masking): Promise<Api.RequestTree> {
  const asked = /^\d+$/.test(q) ? recordedCall(recorder, Number(q)).number : await latestOf(recorder, q, masking)
  const links = new CallLinks()
  /** The calls that were made for no other one, with the traces that they came in. */
  const first = new Map<number, string>()
  const turns = new Turns(() => recorder.last)
  for (const number of recorder.numbers().toReversed()) {
    await turns.next()
    const call = tracedCall(recorder, number)
    if (call === undefined) continue
    links.add(call)
    if (links.of(number) === undefined) first.set(number, traceIdOf(call.cameWith))
  }
  let root = asked
  for (let link = links.of(root); link !== undefined; link = links.of(root)) root = link.parent
  const trace = first.get(root) ?? ''
  const roots = trace === '' ? [root] : [...first].flatMap(([number, of]) => (of === trace ? [number] : []))
  const numbers = inOrder(roots, links)
  const calls = numbers.slice(0, MAX_CALLS).flatMap(({number, depth}): readonly Api.TreeCall[] => {
    const call = recorder.call(number)
    return call === undefined ? [] : [{...rowOf(call, contentOf(call), masking), depth, link: links.of(number) ?? null}]
  })
  return {asked, failedAt: failedAt(calls), calls, leftOut: numbers.length - calls.length}
}

async function latestOf(recorder: CallRecorder, q: string, masking: Masking): Promise<number> {
  // what a sidecar asks its own app is shown where there is nothing else
  for (const filter of q === '' ? ['!is:own', ''] : [q]) {
    const [latest] = await listCalls(recorder, {q: filter, before: 0, after: 0, limit: 1}, masking)
    if (latest !== undefined) return latest.number
  }
  throw q === ''
    ? new ApiProblem(404, 'there are no calls yet', 'Calls between the apps, and to them, are recorded.')
    : new ApiProblem(404, `no call matches ${q}`, 'pillion calls lists them.')
}

/** What links a call to others; undefined: it is not kept, or no app made it: a replay, a copy for a shadow, a question of the app's own sidecar. */
function tracedCall(recorder: CallRecorder, number: number): TracedCall | undefined {
  const call = recorder.call(number)
  if (call === undefined || (call.flags & (FLAG.replay | FLAG.shadow)) !== 0) return undefined
  const {flags, edgeOf, startedAt, waitedMs, firstByteMs, totalMs} = call
  if ((flags & FLAG.own) !== 0 && edgeOf.caller === edgeOf.callee) return undefined
  const isOpen = (flags & FLAG.open) !== 0
  return {
    ...tracesOf(call),
    number,
    from: edgeOf.caller,
    to: edgeOf.callee,
    startedAt,
    admittedAt: (flags & FLAG.admitted) === 0 ? Infinity : startedAt + waitedMs,
    respondedAt: firstByteMs === 0 ? Infinity : startedAt + firstByteMs,
    endedAt: isOpen ? Infinity : startedAt + totalMs
  }
}

/** Calls and those below them, each with how deep it is, as a tree is read: each before those that were made for it. */
function inOrder(
  roots: readonly number[],
  links: CallLinks
): readonly {readonly number: number; readonly depth: number}[] {
  const found: {number: number; depth: number}[] = []
  const left = roots.map(number => ({number, depth: 0})).toReversed()
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    found.push(next)
    const {depth} = next
    for (const number of links.madeFor(next.number).toReversed()) left.push({number, depth: depth + 1})
  }
  return found
}

/** Where a failure began: the call that failed with none below it that failed, the deepest of the first one; null: none failed. */
function failedAt(calls: readonly Api.TreeCall[]): number | null {
  const failed = calls.filter(({isFailed}) => isFailed)
  const parents = new Set(failed.map(({link}) => link?.parent))
  const deepest = failed.filter(({number}) => !parents.has(number)).toSorted((a, b) => b.depth - a.depth)
  return deepest[0]?.number ?? null
}
