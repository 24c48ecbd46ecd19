import {decode, encode, type Message} from '../../proxy/net/grpc/message-codec.ts'

/* Messages of durabletask (orchestrator_service.proto), with the fields that Dapr uses. A field that is only passed on stays encoded. */

/** google.protobuf.StringValue. Unlike a string field, it distinguishes '' from an omitted text. */
export const TEXT = {value: [1, 'string']} as const
export const TIME = {seconds: [1, 'int64'], nanos: [2, 'int32']} as const
export const ROUTER = {sourceAppID: [1, 'string'], targetAppID: [2, 'string']} as const
const INSTANCE = {instanceId: [1, 'string'], executionId: [2, {message: TEXT}]} as const
/** Place of a message in a trace (TraceContext). */
export const TRACE = {traceParent: [1, 'string']} as const
const VERSION = {patches: [1, 'strings'], name: [2, 'string']} as const

/** Id of another instance: the source of a rerun from this event, or the first try of a child. */
const OTHER = {message: {instanceId: [1, 'string']}} as const

/** The first fields of messages about an activity, a start or a child. */
const TASK = {name: [1, 'string'], version: [2, {message: TEXT}], input: [3, {message: TEXT}]} as const
const CHILD = {
  instanceId: [1, 'string'],
  name: [2, 'string'],
  version: [3, {message: TEXT}],
  input: [4, {message: TEXT}]
} as const

const PARENT = {
  taskScheduledId: [1, 'int32'],
  name: [2, {message: TEXT}],
  workflowInstance: [4, {message: INSTANCE}],
  appID: [5, 'string'],
  appNamespace: [6, 'string']
} as const

const EXECUTION_STARTED = {
  ...TASK,
  workflowInstance: [4, {message: INSTANCE}],
  parentInstance: [5, {message: PARENT}],
  scheduledStart: [6, {message: TIME}],
  parentTraceContext: [7, {message: TRACE}],
  workflowSpanId: [8, {message: TEXT}]
} as const

/** Result of a task. Children have no taskExecutionId. */
const RESULT = {taskScheduledId: [1, 'int32'], result: [2, {message: TEXT}], taskExecutionId: [3, 'string']} as const
const FAILURE = {taskScheduledId: [1, 'int32'], failureDetails: [2, 'bytes'], taskExecutionId: [3, 'string']} as const

const ENDED = {status: [1, 'int32'], result: [2, {message: TEXT}], failureDetails: [3, 'bytes']} as const

const TASK_SCHEDULED = {
  ...TASK,
  parentTraceContext: [4, {message: TRACE}],
  taskExecutionId: [5, 'string'],
  rerunOf: [6, OTHER],
  scope: [7, 'int32', 'optional']
} as const

const CHILD_CREATED = {
  ...CHILD,
  parentTraceContext: [5, {message: TRACE}],
  rerunOf: [6, OTHER],
  scope: [7, 'int32', 'optional'],
  retryOf: [8, OTHER]
} as const

const TIMER_CREATED = {
  fireAt: [1, {message: TIME}],
  name: [2, 'string'],
  rerunOf: [3, OTHER],
  createTimer: [4, {message: {}}],
  externalEvent: [5, {message: TEXT}],
  activityRetry: [6, {message: TEXT}],
  childWorkflowRetry: [7, {message: TEXT}]
} as const

/** TimerFired. Only Pillion has `isSkipped`, which SDKs ignore. */
const TIMER_FIRED = {fireAt: [1, {message: TIME}], timerId: [2, 'int32'], isSkipped: [1000, 'bool']} as const

const EVENT_SENT = {instanceId: [1, 'string'], name: [2, 'string'], input: [3, {message: TEXT}]} as const

/** ExecutionSuspended and ExecutionResumed: `input` is the reason. */
const REASON = {input: [1, {message: TEXT}]} as const

export const EVENT = {
  eventId: [1, 'int32'],
  timestamp: [2, {message: TIME}],
  executionStarted: [3, {message: EXECUTION_STARTED}],
  executionCompleted: [4, {message: ENDED}],
  executionTerminated: [5, {message: {input: [1, {message: TEXT}], recurse: [2, 'bool']}}],
  taskScheduled: [6, {message: TASK_SCHEDULED}],
  taskCompleted: [7, {message: RESULT}],
  taskFailed: [8, {message: FAILURE}],
  childCreated: [9, {message: CHILD_CREATED}],
  childCompleted: [10, {message: RESULT}],
  childFailed: [11, {message: FAILURE}],
  timerCreated: [12, {message: TIMER_CREATED}],
  timerFired: [13, {message: TIMER_FIRED}],
  workflowStarted: [14, {message: {version: [1, {message: VERSION}]}}],
  eventSent: [16, {message: EVENT_SENT}],
  eventRaised: [17, {message: {name: [1, 'string'], input: [2, {message: TEXT}]}}],
  executionSuspended: [21, {message: REASON}],
  executionResumed: [22, {message: REASON}],
  router: [30, {message: ROUTER}],
  executionStalled: [31, {message: {reason: [1, 'int32'], description: [2, 'string']}}],
  detachedCreated: [32, {message: {instanceId: [1, 'string']}}]
} as const

const SCHEDULE_TASK = {...TASK, taskExecutionId: [5, 'string'], scope: [6, 'int32', 'optional']} as const

const CREATE_CHILD = {...CHILD, scope: [6, 'int32', 'optional'], retryOf: [7, OTHER]} as const

const CREATE_TIMER = {
  fireAt: [1, {message: TIME}],
  name: [2, 'string'],
  createTimer: [3, {message: {}}],
  externalEvent: [4, {message: TEXT}],
  activityRetry: [5, {message: TEXT}],
  childWorkflowRetry: [6, {message: TEXT}]
} as const

const SEND_EVENT = {instance: [1, {message: INSTANCE}], name: [2, 'string'], data: [3, {message: TEXT}]} as const

const COMPLETE = {
  status: [1, 'int32'],
  result: [2, {message: TEXT}],
  carryoverEvents: [5, 'chunks'],
  failureDetails: [6, 'bytes']
} as const

const TERMINATE = {instanceId: [1, 'string'], reason: [2, {message: TEXT}], recurse: [3, 'bool']} as const

const CREATE_DETACHED = {
  ...CHILD,
  scheduledStart: [5, {message: TIME}],
  parentTraceContext: [8, {message: TRACE}]
} as const

const ACTION = {
  id: [1, 'int32'],
  scheduleTask: [2, {message: SCHEDULE_TASK}],
  createChild: [3, {message: CREATE_CHILD}],
  createTimer: [4, {message: CREATE_TIMER}],
  sendEvent: [5, {message: SEND_EVENT}],
  complete: [6, {message: COMPLETE}],
  terminate: [7, {message: TERMINATE}],
  router: [9, {message: ROUTER}],
  versionNotAvailable: [10, {message: {}}],
  createDetached: [11, {message: CREATE_DETACHED}]
} as const

/** WorkflowResponse, a worker's answer to a turn. */
export const TURN_ANSWER = {
  instanceId: [1, 'string'],
  actions: [2, {list: ACTION}],
  customStatus: [3, {message: TEXT}],
  completionToken: [4, 'string'],
  version: [6, {message: VERSION}]
} as const

/** ActivityResponse, a worker's answer to an activity. */
export const ACTIVITY_ANSWER = {
  instanceId: [1, 'string'],
  taskId: [2, 'int32'],
  result: [3, {message: TEXT}],
  failureDetails: [4, 'bytes'],
  completionToken: [5, 'string']
} as const

export const ACTIVITY_REQUEST = {
  ...TASK,
  workflowInstance: [4, {message: INSTANCE}],
  taskId: [5, 'int32'],
  parentTraceContext: [6, {message: TRACE}],
  taskExecutionId: [7, 'string'],
  propagatedHistory: [8, 'bytes']
} as const

export const FAILURE_DETAILS = {
  errorType: [1, 'string'],
  errorMessage: [2, 'string'],
  stackTrace: [3, {message: TEXT}]
} as const

/** Throws a DecodeError for invalid FAILURE_DETAILS, which are otherwise passed on undecoded. */
export const checkFailure = (bytes: Uint8Array): void => void decode(FAILURE_DETAILS, bytes)

export type TurnResponse = Message<typeof TURN_ANSWER>
export type ActivityResponse = Message<typeof ACTIVITY_ANSWER>

export type Event = Partial<Message<typeof EVENT>>
export type Action = Partial<Message<typeof ACTION>>
export type TurnAnswer = Pick<Message<typeof TURN_ANSWER>, 'actions' | 'customStatus' | 'version'>
type Text = Message<typeof TEXT>
export type Time = Message<typeof TIME>

export const NO_BYTES = new Uint8Array(0)

/** Wraps a text; undefined stays undefined. */
export const textOf = (value: string | undefined): Text | undefined => (value === undefined ? undefined : {value})

/** Converts milliseconds since 1970 to a timestamp. */
export const timeOf = (ms: number): Time => {
  const seconds = Math.floor(ms / 1000)
  return {seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6)}
}

const LAST_DATE_MS = 8.64e15
/** Time in ms since 1970 after which a timer means a wait without a timeout (durabletask-go: task/orchestrator.go). */
export const NEVER = Date.UTC(9000, 0)

/** Converts a timestamp to ms since 1970, rounded up so that nothing fires early, within the range of a Date. */
export const msOf = ({seconds, nanos}: Time): number =>
  Math.max(-LAST_DATE_MS, Math.min(LAST_DATE_MS, Number(seconds) * 1000 + Math.ceil(nanos / 1e6)))

/** Encodes an event. `eventId`: id of a step that the code schedules; −1: any other event. */
export const eventOf = (at: number, event: Event, eventId = -1): Uint8Array =>
  encode(EVENT, {eventId, timestamp: timeOf(at), ...event})

/** Encodes the event of a step `id` that the code of `app` schedules, with its target app. */
export const ownEvent = (at: number, id: number, app: string, event: Event): Uint8Array =>
  eventOf(at, {...event, router: {sourceAppID: app, targetAppID: event.router?.targetAppID ?? ''}}, id)

export const readEvent = (bytes: Uint8Array): Message<typeof EVENT> => decode(EVENT, bytes)

/** Replaces the input in the start event of an instance. */
export function withInput(start: Uint8Array, input: string | undefined): Uint8Array {
  const event = readEvent(start)
  const executionStarted = event.executionStarted && {...event.executionStarted, input: textOf(input)}
  return encode(EVENT, {...event, executionStarted})
}

/** The stored form of a turn's events: field 3 of a message, once per event, as in WorkflowRequest. */
const EVENTS = {events: [3, 'chunks']} as const
export const joinEvents = (events: readonly Uint8Array[]): Uint8Array => encode(EVENTS, {events})
export const splitEvents = (bytes: Uint8Array): readonly Uint8Array[] => decode(EVENTS, bytes).events

/** Returns the patches that the code has asked for in a turn. */
export const patchesOf = (turn: Uint8Array): readonly string[] => {
  const [first] = splitEvents(turn)
  return (first && readEvent(first).workflowStarted?.version?.patches) ?? []
}

/** Decodes the joined events of turns. */
export const eventsOf = (turns: readonly Uint8Array[]): readonly Message<typeof EVENT>[] =>
  turns.flatMap(splitEvents).map(readEvent)

/**
 * Returns the event that a timer waits for; '': none. The timer's name counts only if no other field states its origin (Dapr:
 * pkg/actors/targets/workflow/orchestrator/timer.go).
 */
export function eventOfTimer(timer: NonNullable<Action['createTimer'] | Event['timerCreated']>): string {
  const {externalEvent, name, createTimer, activityRetry, childWorkflowRetry} = timer
  if (externalEvent !== undefined) return externalEvent.value
  return (createTimer ?? activityRetry ?? childWorkflowRetry) === undefined ? name : ''
}
