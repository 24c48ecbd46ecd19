import type {Instance} from './instance.ts'
import {eventOf, textOf, timeOf} from './messages.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** What the first event of a history contains about its instance. */
type Started = Pick<Instance, 'app' | 'name' | 'id' | 'execution' | 'input' | 'parent' | 'trace'>

/**
 * Builds the start event of an instance. `now`: milliseconds since 1970; `startAt`: when it starts, if not at once; `askedBy`:
 * the traceparent of the caller, '' if there is none, or if it is not known any more.
 */
export function startEventOf(
  store: Pick<WorkflowStore, 'find'>,
  now: number,
  {app, name, id, execution, input, parent, trace}: Started,
  {startAt, askedBy = ''}: {readonly startAt?: number | undefined; readonly askedBy?: string | undefined} = {}
): Uint8Array {
  const parentName = parent && store.find(parent.app, parent.id)?.name
  return eventOf(now, {
    // the caller, as Dapr names it (pkg/runtime/wfengine/backends/actors/actors.go)
    router: {sourceAppID: parent?.app ?? app, targetAppID: ''},
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
