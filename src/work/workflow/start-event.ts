import type {Instance} from './instance.ts'
import {eventOf, textOf, timeOf} from './messages.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** What the first event of a history says about its instance. */
type Started = Pick<Instance, 'app' | 'name' | 'id' | 'execution' | 'input' | 'parent' | 'trace'>

interface StartEventOptions {
  /** It is to start then: milliseconds since 1970; left out: at once. */
  readonly startAt?: number | undefined
  /** The traceparent of what has asked for it; left out, or '': there is none, or it is not known any more. */
  readonly askedBy?: string | undefined
}

/** The event that an instance starts with. `now`: milliseconds since 1970. */
export function startEventOf(
  store: Pick<WorkflowStore, 'find'>,
  now: number,
  {app, name, id, execution, input, parent, trace}: Started,
  {startAt, askedBy = ''}: StartEventOptions = {}
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
