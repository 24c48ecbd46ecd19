import {traceIdOf} from '../../../model/traceparent.ts'
import type {ComponentUse} from '../../../model/call.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {timelineOf, type Step} from '../../../work/workflow/timeline.ts'
import {activityTrace} from '../../../work/workflow/work-spans.ts'
import {isTerminal} from '../../../work/workflow/status.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {FLAG, isFailed} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Turns} from '../turns.ts'
import {JoinedTraces} from './join-spans.ts'
import {CallLinks, kindOf, type TracedCall, PublishedEvents, type PublishedCall} from './link-calls.ts'
import {latestUses} from '../../telemetry/recorder/component-uses.ts'
import {tracesOf} from './traces-of.ts'

/** A node that is not a call: a use of a component, a workflow, a step of one, or an app's own span. */
export type Other =
  | {readonly kind: 'component'; readonly use: ComponentUse}
  | {readonly kind: 'workflow'; readonly instance: Instance}
  | {readonly kind: 'step'; readonly instance: Instance; readonly step: Step}
  | {readonly kind: 'span'; readonly span: ReceivedSpan}

/** Everything that a run remembers of its requests, with their causes. */
export interface Gathered {
  readonly links: CallLinks
  readonly traced: ReadonlyMap<number, TracedCall>
  readonly others: ReadonlyMap<number, Other>
  /** Nodes without a cause, by number, with the id of the trace; '': none. */
  readonly first: ReadonlyMap<number, string>
  readonly failed: ReadonlySet<number>
  /** The spans of apps. Undefined if no app has sent any. */
  readonly spans: JoinedTraces | undefined
}

/** Number of the latest workflows that are searched. */
const MAX_WORKFLOWS = 1000

/** Gathers calls and other nodes from the memory of a run. `workflows`: undefined without any. `latest`: maximum number of calls. Lets other work run in between. */
export async function gather(
  recorder: CallRecorder,
  workflows: Workflows | undefined,
  turns: Turns,
  latest = Infinity
): Promise<Gathered> {
  const failed = new Set<number>()
  const others = new Map<number, Other>()
  const traced = new Map<number, TracedCall>()
  const numbers = recorder.numbers().slice(0, latest).toReversed()
  const found = [...usesOf(recorder, others, failed)]
  const oldest = recorder.line(numbers[0] ?? 0)?.startedAt ?? performance.now()
  if (workflows !== undefined)
    for await (const call of workflowCalls(workflows, {oldest, others, failed, turns})) found.push({event: '', call})
  const nodes = found.toSorted((a, b) => latestStart(b.call) - latestStart(a.call))
  const spans = recorder.spans && new JoinedTraces(recorder.spans.traces)
  if (spans !== undefined) await addAll(spans, {recorder, uses: nodes, numbers, turns})
  // links everything in the order of starts: a cause is linked before its effects
  const published = new PublishedEvents()
  const links = new CallLinks()
  const first = new Map<number, string>()
  const link = (made: TracedCall): void => {
    const call = spans === undefined ? made : withProof(made, spans, traced)
    links.add(call)
    traced.set(call.number, call)
    if (links.of(call.number) === undefined) first.set(call.number, traceIdOf(call.cameWith))
  }
  const linkNodes = (until: number): void => {
    for (let next = nodes.at(-1); next !== undefined && latestStart(next.call) <= until; next = nodes.at(-1)) {
      nodes.pop()
      published.add(next)
      link(next.call)
    }
  }
  for (const number of numbers) {
    await turns.next()
    const call = tracedCall(recorder, number)
    if (call === undefined) continue
    const {line, event, traced: made} = call
    if (isFailed(line)) failed.add(number)
    linkNodes(made.startedAt)
    const parents = event === '' ? [] : published.of(event, made.from)
    link(parents.length === 0 ? made : {...made, madeFor: {parents, reason: 'event'}})
  }
  linkNodes(Infinity)
  return {links, traced, others, first, failed, spans}
}

interface Found {
  readonly recorder: CallRecorder
  /** The latest first. */
  readonly uses: readonly PublishedCall[]
  readonly numbers: readonly number[]
  readonly turns: Turns
}

/** Adds everything with a place in a trace, in the order of their starts. */
async function addAll(spans: JoinedTraces, {recorder, uses, numbers, turns}: Found): Promise<void> {
  const all = uses.map(({call}) => call)
  for (const number of numbers) {
    await turns.next()
    const call = tracedCall(recorder, number)?.traced
    if (call !== undefined) all.push(call)
  }
  for (const call of all.toSorted((a, b) => a.startedAt - b.startedAt)) spans.add(call)
}

/** Sets a call's cause if the spans between them prove it. */
function withProof(call: TracedCall, spans: JoinedTraces, traced: ReadonlyMap<number, TracedCall>): TracedCall {
  const parent = call.madeFor === undefined ? spans.of(traceIdOf(call.cameWith))?.provenParent(call) : undefined
  const isOlder = parent !== undefined && parent >= 0 && traced.has(parent)
  return isOlder ? {...call, madeFor: {parents: [parent], reason: 'trace'}} : call
}

/** Returns the latest time at which a call can have begun. */
const latestStart = ({startedAt, startsWithinMs = 0}: TracedCall): number => startedAt + startsWithinMs

/** Returns the data that link a call to others. Undefined for an overwritten call, and for a request of a sidecar to its own app. */
function tracedCall(recorder: CallRecorder, number: number) {
  const line = recorder.call(number)
  if (line === undefined) return undefined
  const {flags, edgeOf, startedAt, waitedMs, firstByteMs, totalMs} = line
  // no app caused a replay, or a copy for a shadow version
  const isAgain = (flags & (FLAG.replay | FLAG.shadow)) !== 0
  if ((flags & FLAG.own) !== 0 && edgeOf.caller === edgeOf.callee) return undefined
  const isOpen = (flags & FLAG.open) !== 0
  const {event, ...traces} = tracesOf(line)
  const traced: TracedCall = {
    ...traces,
    number,
    from: edgeOf.caller,
    to: edgeOf.callee,
    startedAt,
    admittedAt: (flags & FLAG.admitted) === 0 ? Infinity : startedAt + waitedMs,
    respondedAt: firstByteMs === 0 ? Infinity : startedAt + firstByteMs,
    endedAt: isOpen ? Infinity : startedAt + totalMs,
    ...(isAgain && {cameWith: '', madeFor: {parents: [], reason: 'trace'}}),
    ...((flags & FLAG.shadow) !== 0 && {wentWith: ''}) // the trace belongs to the copied call
  }
  return {line, event: isAgain ? '' : event, traced}
}

const PLAIN = {publisher: '', cameWith: '', wentWith: '', method: ''} as const

function* usesOf(recorder: CallRecorder, others: Map<number, Other>, failed: Set<number>): Generator<PublishedCall> {
  for (const use of latestUses(recorder.uses)) {
    const number = -1 - others.size
    others.set(number, {kind: 'component', use})
    if (use.failure !== '') failed.add(number)
    const {app, component, block, operation, startedAt, totalMs, event, traceparent} = use
    const endedAt = startedAt + totalMs
    const times = {startedAt, admittedAt: startedAt, respondedAt: endedAt, endedAt}
    const asked = {from: app, to: component, method: block, path: operation}
    yield {
      event,
      call: {...PLAIN, ...times, ...asked, number, cameWith: traceparent, isLast: true, mayBeginTrace: true}
    }
  }
}

interface Gathering {
  readonly oldest: number
  readonly others: Map<number, Other>
  readonly failed: Set<number>
  readonly turns: Turns
}

/** Yields the workflows that ran during the calls, and their steps. */
async function* workflowCalls(
  workflows: Workflows,
  {oldest, others, failed, turns}: Gathering
): AsyncGenerator<TracedCall> {
  const isOf = ({status, updated}: Instance): boolean => !isTerminal(status) || wallTime.at(updated) >= oldest
  const instances = workflows.search({}, MAX_WORKFLOWS).filter(isOf).toReversed()
  /** Node numbers of steps that have started child workflows, by app and id of the child. */
  const starters = new Map<string, number>()
  const numberOf = (other: Other): number => {
    const number = -1 - others.size
    others.set(number, other)
    return number
  }
  const known = instances.map(instance => ({instance, number: numberOf({kind: 'workflow', instance})}))
  const found: TracedCall[] = []
  const children: {readonly instance: Instance; readonly call: TracedCall}[] = []
  for (const {instance, number} of known) {
    await turns.next()
    const {key, app, name, status, created, updated, parent} = instance
    const history = workflows.events(instance)
    const steps = timelineOf(history, app, workflows.timers(instance))
    if (steps.at(-1)?.state === 'failed' && steps.at(-1)?.kind === 'end') failed.add(number)
    const askedBy = history.find(({executionStarted}) => executionStarted !== undefined)?.executionStarted
    const end = isTerminal(status) ? wallTime.at(updated) : Infinity
    const span = {startedAt: wallTime.at(created), admittedAt: wallTime.at(created), respondedAt: end, endedAt: end}
    const call: TracedCall = {
      ...PLAIN,
      ...span,
      number,
      from: workflows.byPerson.has(key) ? '' : (parent?.app ?? app),
      to: app,
      path: name,
      cameWith: askedBy?.parentTraceContext?.traceParent ?? '',
      isLast: true,
      startsWithinMs: 1,
      mayBeginTrace: true
    }
    children.push({instance, call})
    for (const step of steps) {
      if (step.kind === 'start' || step.kind === 'end') continue
      const below = numberOf({kind: 'step', instance, step})
      if (step.state === 'failed') failed.add(below)
      if (step.kind === 'child') starters.set(`${step.app} ${step.instance}`, below)
      found.push(stepCall(step, {instance, number: below, parent: number}))
    }
  }
  yield* found
  for (const {instance, call} of children) {
    const parent = starters.get(`${instance.app} ${instance.id}`)
    yield parent === undefined ? call : {...call, madeFor: {parents: [parent], reason: 'history'}}
  }
}

function stepCall(
  {kind, id, name, app, startedAt, endedAt}: Step,
  {instance, number, parent}: {readonly instance: Instance; readonly number: number; readonly parent: number}
): TracedCall {
  const isActivity = kind === 'activity'
  const end = endedAt === undefined ? Infinity : wallTime.at(endedAt) + 1 // times of the history are whole ms
  return {
    ...PLAIN,
    number,
    from: instance.app,
    to: isActivity || kind === 'child' ? app : '',
    method: kind,
    path: name,
    startedAt: wallTime.at(startedAt),
    admittedAt: wallTime.at(startedAt),
    respondedAt: end,
    endedAt: end,
    wentWith: isActivity ? activityTrace(instance, id) : '',
    isLast: !isActivity,
    madeFor: {parents: [parent], reason: 'history'}
  }
}

/** Returns a key, equal for calls that may share a row of the tree. Undefined for an unknown call, which has its own row. */
export const alikeOf = (call: TracedCall | undefined): string | undefined => call && `${call.from} ${kindOf(call)}`
