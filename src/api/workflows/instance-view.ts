import type * as Api from '../../model/api.generated.ts'
import {failureOf} from '../../workflow/failure.ts'
import type {Instance} from '../../workflow/instance.ts'
import {statusName} from '../../workflow/status.ts'
import type {Workflows} from '../../workflow/workflows.ts'

/** A time as views have it. */
export const timeText = (ms: number): string => new Date(ms).toISOString()

/** An instance without its payloads. */
export function instanceView(workflows: Workflows, instance: Instance): Api.Workflow {
  const {app, id, name, status, created, updated, customStatus = '', failure, parent} = instance
  return {
    app,
    id,
    name,
    status: statusName(status) as Api.WorkflowStatus,
    created: timeText(created),
    lastUpdate: timeText(updated),
    customStatus,
    failure: failureOf(failure).message,
    parent: parent === undefined ? null : {app: parent.app, id: parent.id},
    workers: workflows.connected(app)
  }
}

/** An instance with its payloads. */
export function instanceDetail(workflows: Workflows, instance: Instance): Api.WorkflowDetail {
  const {input = null, output = null, version = null, execution, failure} = instance
  const {type: failureType, stack} = failureOf(failure)
  return {...instanceView(workflows, instance), input, output, version, failureType, stack, executionId: execution}
}
