import type {Instance} from './instance.ts'
import {eventOf, textOf, timeOf} from './messages.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** What the first event of a history tells of its instance. */
type Started = Pick<Instance, 'name' | 'id' | 'execution' | 'input' | 'parent'>

/** The event that an instance starts with. Times are milliseconds since 1970; `startAt`: it is to start then. */
export function startEventOf(
  store: Pick<WorkflowStore, 'find'>,
  now: number,
  {name, id, execution, input, parent}: Started,
  startAt?: number
): Uint8Array {
  const parentName = parent && store.find(parent.app, parent.id)?.name
  return eventOf(now, {
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
      parentTraceContext: new Uint8Array(0)
    }
  })
}
