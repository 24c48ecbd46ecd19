import type {RunControl} from '../../../control/run-control.ts'
import {uncarriedLines} from '../../../model/uncarried.ts'
import type * as Api from '../../../model/api.generated.ts'
import type {SpanStore} from '../../telemetry/otlp/span-store.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import {listCalls, recordedCall} from '../calls.ts'
import {ApiProblem} from '../problem.ts'
import type {RunFacts, WorkAccess} from '../run-facts.ts'
import {Turns} from '../turns.ts'
import {alikeOf, gather, type Gathered} from './gather.ts'
import {layTree} from './lay-tree.ts'
import {linesBetween, type Busy, withLogs} from './with-logs.ts'
import {nodeView} from './node-view.ts'
import {exceptionsOnce} from './span-view.ts'
import {withSpans} from './with-spans.ts'

const MAX_ROWS = 1000

type Facts = Pick<RunFacts, 'recorder' | 'runLog' | 'masked'> & {
  readonly control?: Pick<RunControl, 'list'>
  readonly work: Pick<WorkAccess, 'openWorkflows'>
}

/**
 * Returns the request of a call with its descendants and log lines; for a trace that began outside, all its requests. `q`: a call's
 * number, a filter (the latest match counts), or `workflow:ID`. Lets the event loop do other work in between. Rejects with an
 * ApiProblem without a match, with a UserError for a faulty filter.
 */
export async function requestTree(facts: Facts, q: string): Promise<Api.RequestTree> {
  const {recorder, work, runLog, masked} = facts
  const masking = new Masking(masked())
  const turns = new Turns(() => recorder.last)
  const [, workflow] = /^workflow:(.+)$/s.exec(q) ?? []
  const trace = traceNamed(q, recorder.spans)
  const asked = workflow !== undefined ? 0 : await askedCall(facts, q, masking, trace)
  const gathered = await gather(recorder, work.openWorkflows(), turns)
  const number = workflow === undefined ? asked : workflowNamed(gathered, workflow)
  const tree = withSpans(gathered, number === 0 ? firstOf(trace, gathered) : rootsOf(number, gathered), trace)
  const {roots, traced, failed} = tree
  const {rows, leftOut, failedAt} = layTree(roots, {
    links: tree,
    kindOf: each => alikeOf(traced.get(each)),
    hasFailed: each => failed.has(each),
    asked: number,
    maxRows: MAX_ROWS
  })
  const now = performance.now()
  const began = Math.min(now, ...roots.flatMap(each => traced.get(each)?.startedAt ?? []))
  const nodes = exceptionsOnce(rows.flatMap(row => nodeView(row, {...tree, recorder, masking, began, now}) ?? []))
  const written = await linesBetween(runLog(), ...busyApps(gathered, nodes, now), turns)
  const lines = withLogs(written, tree.logs, masking)
  return {asked: number, failedAt: failedAt ?? null, nodes, ...lines, leftOut}
}

/** Returns the id of the only received trace that begins with the given digits; empty if none or several. */
function traceNamed(q: string, store: SpanStore | undefined): string {
  const [, begin = ''] = /^trace:([\da-f]{8,32})$/.exec(q) ?? []
  if (begin === '' || store === undefined) return ''
  const [found = '', ...more] = [...store.traces.keys()].filter(id => id.startsWith(begin))
  return more.length === 0 ? found : ''
}

/** Returns the call that `q` names. 0 if only spans of the trace exist. */
async function askedCall(facts: Facts, q: string, masking: Masking, trace: string): Promise<number> {
  if (/^\d+$/.test(q)) return recordedCall(facts.recorder, Number(q)).number
  try {
    return await latestOf(facts, q, masking)
  } catch (error) {
    if (trace === '' || !(error instanceof ApiProblem)) throw error
    return 0
  }
}

async function latestOf({recorder, control}: Facts, q: string, masking: Masking): Promise<number> {
  // a sidecar's requests to its own app are the last choice
  for (const filter of q === '' ? ['!is:own', ''] : [q]) {
    const [latest] = await listCalls(recorder, {q: filter, before: 0, after: 0, limit: 1}, masking)
    if (latest !== undefined) return latest.number
  }
  const uncarried = uncarriedLines(control?.list().apps ?? []).trimEnd()
  throw q === ''
    ? new ApiProblem(404, 'there are no calls yet', uncarried || 'Calls between the apps, and to them, are recorded.')
    : new ApiProblem(404, `no call matches ${q}`, 'pillion calls lists them.')
}

/** Returns the latest workflow with this id; `APP/ID` distinguishes apps. */
function workflowNamed({others}: Gathered, name: string): number {
  for (const [number, other] of [...others].toReversed())
    if (other.kind === 'workflow' && [other.instance.id, `${other.instance.app}/${other.instance.id}`].includes(name))
      return number
  throw new ApiProblem(404, `there is no workflow ${name}`, 'pillion workflow list lists them.')
}

/** Returns the root of a node. If its trace began outside, returns all roots of the trace. */
function rootsOf(asked: number, {links, first}: Gathered): readonly number[] {
  let root = asked
  for (let link = links.of(root); link !== undefined; link = links.of(root)) root = link.parent
  const trace = first.get(root) ?? ''
  return trace === '' ? [root] : firstOf(trace, {first})
}

/** Returns the nodes of a trace that have no cause: calls, or uses of components outside of all calls. */
const firstOf = (trace: string, {first}: Pick<Gathered, 'first'>): readonly number[] =>
  [...first].flatMap(([number, of]) => (of === trace ? [number] : []))

/** Returns the times in which apps worked for the tree, and the times of their other work meanwhile. */
function busyApps(
  {traced}: Gathered,
  nodes: readonly Api.TreeNode[],
  now: number
): readonly [own: readonly Busy[], elsewhere: readonly Busy[]] {
  const shown = new Set(nodes.map(({id}) => id))
  const all = [...traced.values()].flatMap(({number, to, isLast = false, startedAt, endedAt}): readonly Busy[] =>
    isLast ? [] : [{node: number, app: to, from: startedAt, until: Math.min(endedAt, now)}]
  )
  const own = all.filter(({node}) => shown.has(node))
  const apps = new Set(own.map(({app}) => app))
  const [from, until] = [Math.min(...own.map(each => each.from)), Math.max(...own.map(each => each.until))]
  const isMeanwhile = (each: Busy): boolean =>
    !shown.has(each.node) && apps.has(each.app) && each.until >= from && each.from <= until
  return [own, all.filter(isMeanwhile)]
}
