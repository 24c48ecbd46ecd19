import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import type {Instance} from './instance.ts'
import {readEvent, splitEvents, NO_BYTES, eventOf, textOf, timeOf} from './messages.ts'
import type {LiveInstance} from './work-items.ts'
import type {WorkflowStore} from './workflow-store.ts'

/* Values of HistoryPropagationScope: no history, or its own history and that of its ancestors. */
const NONE = 0
const LINEAGE = 2

/** PropagatedHistory. Its chunks stay encoded. */
const PROPAGATED = {scope: [1, 'int32'], chunks: [2, 'chunks']} as const
const CHUNK = {
  rawEvents: [1, 'chunks'],
  appId: [2, 'string'],
  instanceId: [3, 'string'],
  workflowName: [4, 'string']
} as const

/** Returns the history that an instance passes to a task (durabletask-go: backend/runtimestate/propagation.go); empty: none. */
export function propagatedHistory(
  {instance, history}: LiveInstance,
  scope: number | undefined,
  task: number
): Uint8Array {
  if (scope === undefined || scope === NONE) return NO_BYTES
  const events = history.flatMap(splitEvents)
  return assembled(instance, scope, events.slice(0, events.findLastIndex(event => isStep(event, task)) + 1))
}

/** Returns the history for the next round of a continue-as-new, the received one and its own; undefined: the instance received none. */
export function forwardedHistory(instance: Instance, events: readonly Uint8Array[]): Uint8Array | undefined {
  const {received} = instance
  return received === undefined ? undefined : assembled(instance, decode(PROPAGATED, received).scope, events)
}

function assembled({app, id, name, received}: Instance, scope: number, rawEvents: readonly Uint8Array[]): Uint8Array {
  const own = encode(CHUNK, {rawEvents, appId: app, instanceId: id, workflowName: name})
  const before = scope === LINEAGE && received !== undefined ? decode(PROPAGATED, received).chunks : []
  return encode(PROPAGATED, {scope, chunks: [...before, own]})
}

function isStep(bytes: Uint8Array, task: number): boolean {
  const {eventId, taskScheduled, childCreated} = readEvent(bytes)
  return eventId === task && (taskScheduled ?? childCreated) !== undefined
}

/** Fields of an instance that its start event contains. */
type Started = Pick<Instance, 'app' | 'name' | 'id' | 'execution' | 'input' | 'parent' | 'trace'>

interface Start {
  readonly startAt?: number | undefined
  readonly askedBy?: string | undefined
  readonly caller?: string | undefined
}

/**
 * Builds the start event of an instance. `now`: ms since 1970. `startAt`: a later start. `askedBy`: the caller's traceparent, '' if
 * unknown. `caller`: the app that starts the instance, by default its own.
 */
export function startEventOf(
  store: Pick<WorkflowStore, 'find'>,
  now: number,
  {app, name, id, execution, input, parent, trace}: Started,
  {startAt, askedBy = '', caller = app}: Start = {}
): Uint8Array {
  const parentName = parent && store.find(parent.app, parent.id)?.name
  return eventOf(now, {
    // SDKs read the id of their own app here (Dapr: pkg/runtime/wfengine/backends/actors/actors.go)
    router: {sourceAppID: caller, targetAppID: caller === app ? '' : app},
    executionStarted: {
      name,
      version: undefined,
      input: textOf(input),
      workflowInstance: {instanceId: id, executionId: {value: execution}},
      parentInstance: parent && {
        taskScheduledId: parent.task,
        name: textOf(parentName),
        workflowInstance: {instanceId: parent.id, executionId: {value: parent.execution}},
        appID: parent.app,
        appNamespace: 'default'
      },
      scheduledStart: startAt === undefined ? undefined : timeOf(startAt),
      parentTraceContext: askedBy === '' ? undefined : {traceParent: askedBy},
      workflowSpanId: textOf(trace?.slice(36, 52))
    }
  })
}
