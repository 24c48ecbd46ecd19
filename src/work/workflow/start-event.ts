import type {Instance} from './instance.ts'
import {eventOf, textOf, timeOf} from './messages.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** Fields of an instance in the first event of its history. */
type Started = Pick<Instance, 'app' | 'name' | 'id' | 'execution' | 'input' | 'parent' | 'trace'>

interface Start {
  readonly startAt?: number | undefined
  readonly askedBy?: string | undefined
  readonly caller?: string | undefined
}

/**
 * Builds the start event of an instance. `now`: milliseconds since 1970; `startAt`: when it starts, if not at once; `askedBy`:
 * the traceparent of the caller, '' if there is none, or if it is not known any more; `caller`: the app that starts the
 * instance, its own app by default.
 */
export function startEventOf(
  store: Pick<WorkflowStore, 'find'>,
  now: number,
  {app, name, id, execution, input, parent, trace}: Started,
  {startAt, askedBy = '', caller = app}: Start = {}
): Uint8Array {
  const parentName = parent && store.find(parent.app, parent.id)?.name
  return eventOf(now, {
    // SDKs read the own app from it (Dapr: pkg/runtime/wfengine/backends/actors/actors.go)
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
