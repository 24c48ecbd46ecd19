import type * as Api from '../../../model/api.generated.ts'
import {failureOf, faultOf} from '../../../work/workflow/failure.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {spokenStatus} from '../../../work/workflow/status.ts'
import {traceIdOf} from '../../../model/traceparent.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'

export const timeText = (ms: number): string => new Date(ms).toISOString()

/** Returns an instance without its payloads. */
export function instanceView(workflows: Workflows, instance: Instance): Api.Workflow {
  const {key, app, id, name, status, created, updated, customStatus = '', parent, trace} = instance
  return {
    number: key,
    app,
    id,
    name,
    status: spokenStatus(status) as Api.WorkflowStatus,
    created: timeText(created),
    lastUpdate: timeText(updated),
    customStatus,
    failure: faultOf(instance),
    parent: parent === undefined ? null : {app: parent.app, id: parent.id},
    workers: workflows.connected(app),
    trace: traceIdOf(trace)
  }
}

/** Returns an instance with its payloads. */
export function instanceDetail(workflows: Workflows, instance: Instance): Api.WorkflowDetail {
  const {version = null, execution, failure} = instance
  const {input = null, output = null} = instance
  const {type: failureType, stack} = failureOf(failure)
  return {...instanceView(workflows, instance), input, output, version, failureType, stack, executionId: execution}
}
