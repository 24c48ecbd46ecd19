import type * as Api from '../../../model/api.generated.ts'
import {failureOf} from '../../../work/workflow/failure.ts'
import {msOf, type Event} from '../../../work/workflow/messages.ts'
import {statusName} from '../../../work/workflow/status.ts'
import {timeText} from './instance-view.ts'

/** The facts of an event besides its type. */
interface Said {
  readonly name?: string
  readonly status?: string
  readonly details?: string
  readonly executionId?: string | undefined
  /** Attributes; undefined and empty ones are left out. */
  readonly attrs?: Readonly<Record<string, string | undefined>>
}

type Kind = Exclude<keyof Event, 'eventId' | 'timestamp' | 'router'>
type Describe<K extends Kind> = (data: NonNullable<Event[K]>, first: Event, event: Event) => Said

/** The name of each kind of event in `dapr workflow history`, and its facts (Dapr's CLI: pkg/workflow/history.go). */
const KINDS: {readonly [K in Kind]: readonly [type: string, say: Describe<K>]} = {
  workflowStarted: [
    'WorkflowStarted',
    ({version}) => ({
      details: 'replay',
      attrs: {versionName: version?.name, versionPatches: version?.patches.join(',')}
    })
  ],
  executionStarted: [
    'ExecutionStarted',
    ({name, input, workflowInstance, parentInstance}) => ({
      name,
      details: `workflowStart${parentInstance === undefined ? '' : `,parent=${parentInstance.workflowInstance?.instanceId ?? ''}`}`,
      executionId: workflowInstance?.executionId?.value,
      attrs: {input: input?.value}
    })
  ],
  executionCompleted: [
    'ExecutionCompleted',
    ({status, result, failureDetails}, first, event) => ({
      status: statusName(status),
      details: `execDuration=${humanDuration(timeOf(event) - timeOf(first))}`,
      attrs: {
        output: result?.value,
        failureType: failureOf(failureDetails).type,
        failureMessage: failureOf(failureDetails).message
      }
    })
  ],
  executionStalled: ['ExecutionStalled', ({description}) => ({status: 'STALLED', details: description})],
  executionTerminated: ['ExecutionTerminated', () => ({status: 'TERMINATED'})],
  taskScheduled: [
    'TaskScheduled',
    ({name, input, taskExecutionId}) => ({name, executionId: taskExecutionId, attrs: {input: input?.value}})
  ],
  taskCompleted: [
    'TaskCompleted',
    ({taskScheduledId, taskExecutionId, result}) => ({
      details: `eventId=${taskScheduledId}`,
      executionId: taskExecutionId,
      attrs: {scheduledId: taskScheduledId.toString(), output: result?.value}
    })
  ],
  taskFailed: [
    'TaskFailed',
    ({taskScheduledId, taskExecutionId, failureDetails}) => {
      const {type: errorType, message: errorMsg} = failureOf(failureDetails)
      return {
        status: 'FAILED',
        executionId: taskExecutionId,
        attrs: {scheduledId: taskScheduledId.toString(), errorType, errorMsg}
      }
    }
  ],
  childCreated: ['ChildWorkflowCreated', ({name, input}) => ({name, attrs: {input: input?.value}})],
  childCompleted: [
    'ChildWorkflowCompleted',
    ({taskScheduledId, result}) => ({details: `eventId=${taskScheduledId}`, attrs: {output: result?.value}})
  ],
  childFailed: ['ChildWorkflowFailed', () => ({})],
  timerCreated: [
    'TimerCreated',
    timer => {
      const [origin, key, value] = originOf(timer)
      const fireAt = secondText(timer.fireAt)
      const named = origin === '' ? '' : `,origin=${origin}${value === '' ? '' : `(${value})`}`
      return {
        ...(timer.name !== '' && {name: timer.name}),
        details: `fireAt=${fireAt}${named}`,
        attrs: {timerName: timer.name, fireAt, origin, ...(key !== '' && {[key]: value})}
      }
    }
  ],
  timerFired: [
    'TimerFired',
    ({timerId, fireAt}) => ({attrs: {timerId: timerId.toString(), fireAt: secondText(fireAt)}})
  ],
  eventRaised: [
    'EventRaised',
    ({name, input}) => ({name, details: `event=${name}`, attrs: {eventName: name, payload: input?.value}})
  ],
  eventSent: [
    'EventSent',
    ({name, instanceId, input}) => ({
      name,
      details: `event=${name}->${instanceId}`,
      attrs: {eventName: name, payload: input?.value, targetInstance: instanceId}
    })
  ],
  executionSuspended: ['ExecutionSuspended', ({input}) => ({status: 'SUSPENDED', attrs: {reason: input?.value}})],
  executionResumed: ['ExecutionResumed', ({input}) => ({status: 'RESUMED', attrs: {reason: input?.value}})],
  detachedCreated: ['DetachedWorkflowCreated', ({instanceId}) => ({attrs: {instance: instanceId}})]
}

/** Describes the events of a history, the oldest first. */
export function historyView(events: readonly Event[]): readonly Api.WorkflowEvent[] {
  let play = 0
  return events.map(event => {
    if (event.workflowStarted !== undefined) play++
    return eventView(event, events[0] ?? event, play)
  })
}

function eventView(event: Event, first: Event, play: number): Api.WorkflowEvent {
  const kind = (Object.keys(KINDS) as Kind[]).find(each => event[each] !== undefined)
  const [type, say] = kind === undefined ? (['Unknown', () => ({})] as const) : KINDS[kind]
  const said = (say as Describe<Kind>)(event[kind ?? 'workflowStarted'] as never, first, event)
  const {eventId = -1, router} = event
  // only actions of a worker have 0 as an id
  const hasId = eventId > 0 || (eventId === 0 && (event.taskScheduled ?? event.timerCreated) !== undefined)
  const given = Object.entries(said.attrs ?? {}).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return {
    play,
    type,
    name: said.name ?? null,
    eventId: hasId ? eventId : null,
    at: timeText(timeOf(event)),
    status: said.status ?? 'RUNNING',
    details: said.details ?? null,
    router: router === undefined ? null : routerText(router),
    executionId: said.executionId === undefined || said.executionId === '' ? null : said.executionId,
    attrs: Object.fromEntries(given)
  }
}

const timeOf = ({timestamp}: Event): number => (timestamp === undefined ? 0 : msOf(timestamp))

const routerText = ({sourceAppID, targetAppID}: NonNullable<Event['router']>): string =>
  targetAppID === '' ? sourceAppID : `${sourceAppID}->${targetAppID}`

/** Returns a time to the second, as Go's RFC3339 has it. */
const secondText = (time: Parameters<typeof msOf>[0] | undefined): string =>
  time === undefined ? '' : timeText(msOf({...time, nanos: 0})).replace('.000Z', 'Z')

/** Returns why a timer was created: the kind, and key and value of its owner. */
function originOf(timer: NonNullable<Event['timerCreated']>): readonly [kind: string, key: string, value: string] {
  if (timer.createTimer !== undefined) return ['createTimer', '', '']
  if (timer.externalEvent !== undefined) return ['externalEvent', 'eventName', timer.externalEvent.value]
  if (timer.activityRetry !== undefined) return ['activityRetry', 'taskExecId', timer.activityRetry.value]
  if (timer.childWorkflowRetry !== undefined)
    return ['childWorkflowRetry', 'instanceId', timer.childWorkflowRetry.value]
  return ['', '', '']
}

/** Formats a duration: `1.5ms`, `2.25s`, `3.0m`, `1.5h`; empty for 0 (Dapr's CLI: HumanizeDuration). */
export function humanDuration(ms: number): string {
  const span = Math.abs(ms)
  if (span === 0) return ''
  if (span < 1) return `${(span * 1000).toFixed(1)}µs`
  if (span < 1000) return `${span.toFixed(1)}ms`
  if (span < 60_000) return `${(span / 1000).toFixed(2)}s`
  if (span < 3_600_000) return `${(span / 60_000).toFixed(1)}m`
  return `${(span / 3_600_000).toFixed(1)}h`
}
