import type * as Api from '../../../model/api.generated.ts'
import {callEndText} from '../../../model/call-end.ts'
import {faultOf} from '../../../work/workflow/failure.ts'
import {spokenStatus} from '../../../work/workflow/status.ts'
import {contentOf} from '../../telemetry/recorder/call-content.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {isoTime, rowOf} from '../call-view.ts'
import type {Other} from './gather.ts'
import type {TreeRow} from './lay-tree.ts'
import type {TracedCall} from './link-calls.ts'
import {spanView} from './span-view.ts'
import {exceptionText} from '../../../model/thrown-at.ts'
import type {SpanTree} from './with-spans.ts'

/** Data for showing nodes. `began`: the start of the tree. `now`: time up to which open calls are shown. */
interface Viewing extends SpanTree {
  readonly recorder: CallRecorder
  readonly masking: Masking
  readonly began: number
  readonly now: number
}

/** Describes a row of a tree. Undefined if its call was overwritten. */
export function nodeView({number, depth, alike}: TreeRow, viewing: Viewing): Api.TreeNode | undefined {
  const {links, traced, others, failed, joined, masking, began, now} = viewing
  const known = alike.flatMap(each => traced.get(each) ?? [])
  const [call] = known
  if (call === undefined) return undefined
  const {startedAt} = call
  const endedAt = Math.max(...known.map(each => each.endedAt))
  const other = others.get(number)
  const spans = other?.kind === 'span' ? [other.span] : (joined.get(number) ?? [])
  const views = spans.map(span => spanView(span, masking, began))
  const words = other === undefined ? callWords(number, viewing) : otherWords(other, call, views)
  if (words === undefined) return undefined
  return {
    id: number,
    depth,
    count: alike.length,
    link: links.of(number) ?? null,
    at: isoTime(startedAt),
    startMs: Math.max(0, startedAt - began),
    totalMs: Math.max(0, Math.min(endedAt, now) - startedAt),
    isOpen: endedAt === Infinity,
    isFailed: failed.has(number),
    ...words,
    spans: alike.length > 1 ? [] : views,
    ...(alike.length > 1 && {outcome: '', call: null})
  }
}

type Words = Pick<
  Api.TreeNode,
  'kind' | 'from' | 'to' | 'what' | 'outcome' | 'failure' | 'waitedMs' | 'call' | 'workflow'
>

function callWords(number: number, {recorder, masking}: Viewing): Words | undefined {
  const recorded = recorder.call(number)
  if (recorded === undefined) return undefined
  const call = rowOf(recorded, contentOf(recorded), masking)
  const {from, to, method, path, failure, waitedMs, isKept, isOpen} = call
  const what = `${method} ${isKept ? path : '(no longer kept)'}`
  const outcome = isOpen ? 'under way' : callEndText(call)
  return {kind: 'call', from, to, what, outcome, failure, waitedMs, call, workflow: null}
}

function otherWords(other: Other, {from, to}: TracedCall, [span]: readonly Api.Span[]): Words {
  const shared = {from, to, failure: '', waitedMs: 0, call: null, workflow: null}
  if (other.kind === 'component') {
    const {block, component, operation, failure} = other.use
    const isEvent = block === 'pubsub'
    return {
      ...shared,
      kind: 'component',
      to: isEvent ? `${component}/${operation}` : component,
      what: isEvent ? 'publish' : `${block} ${operation}`.trim(),
      outcome: failure === '' ? '' : 'failed',
      failure
    }
  }
  if (other.kind === 'span') {
    if (span === undefined) throw new Error('a row of a span has one')
    const {name, summary, isFailed, exception, message} = span
    // a summary often begins as the name does: `GET`, `SELECT`
    const what = summary.startsWith(name) ? summary : `${name} ${summary}`.trim()
    return {
      ...shared,
      kind: 'span',
      what,
      outcome: isFailed ? 'failed' : '',
      failure: exceptionText(exception) || message
    }
  }
  const {app, id, name, status} = other.instance
  if (other.kind === 'workflow') {
    const outcome = spokenStatus(status).toLowerCase()
    const workflow = {app, id, eventId: null}
    return {
      ...shared,
      kind: 'workflow',
      what: `workflow ${name} ${id}`,
      outcome,
      failure: faultOf(other.instance),
      workflow
    }
  }
  const {step} = other
  return {
    ...shared,
    kind: step.kind === 'start' || step.kind === 'end' ? 'event' : step.kind,
    what: [step.kind, step.name, step.instance].filter(word => word !== '').join(' '),
    outcome: step.state === 'done' ? '' : step.state,
    failure: step.failure,
    workflow: {app, id, eventId: step.id < 0 ? null : step.id}
  }
}
