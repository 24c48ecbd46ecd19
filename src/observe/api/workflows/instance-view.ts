import type * as Api from '../../../model/api.generated.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {failureOf, faultOf} from '../../../work/workflow/failure.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {spokenStatus} from '../../../work/workflow/status.ts'
import {traceIdOf} from '../../../model/traceparent.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'

/** A time as views have it. */
export const timeText = (ms: number): string => new Date(ms).toISOString()

/** An instance without its payloads; what is secret in its last words is masked. */
export function instanceView(workflows: Workflows, instance: Instance, masking: Masking): Api.Workflow {
  const {key, app, id, name, status, created, updated, customStatus = '', parent, trace} = instance
  return {
    number: key,
    app,
    id,
    name,
    status: spokenStatus(status) as Api.WorkflowStatus,
    created: timeText(created),
    lastUpdate: timeText(updated),
    customStatus: maskedPayload(customStatus, masking),
    failure: masking.target(faultOf(instance)),
    parent: parent === undefined ? null : {app: parent.app, id: parent.id},
    workers: workflows.connected(app),
    trace: traceIdOf(trace)
  }
}

/** Masks the secrets of a payload, as those of calls are masked. */
export const maskedPayload = (text: string, masking: Masking): string =>
  masking.body(Buffer.from(text), 'application/json').toString()

/** An instance with its payloads; secrets are masked. */
export function instanceDetail(workflows: Workflows, instance: Instance, masking: Masking): Api.WorkflowDetail {
  const {version = null, execution, failure} = instance
  const masked = (text: string | undefined): string | null => (text === undefined ? null : maskedPayload(text, masking))
  const [input, output] = [masked(instance.input), masked(instance.output)]
  const {type: failureType, stack} = failureOf(failure)
  return {
    ...instanceView(workflows, instance, masking),
    input,
    output,
    version,
    failureType,
    stack: masking.target(stack),
    executionId: execution
  }
}
