import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {visible} from '../parts/safe-text.ts'
import {ask} from '../state/api.ts'
import {instanceQuery, stepHref, stepWords} from '../workflows/words.ts'

/** A workflow that a call belongs to, and the step that made it, if that is known. */
interface Origin {
  readonly workflow: Api.Workflow
  readonly step: Api.WorkflowStep | undefined
}

/** The step that a call names in its trace, or the one that its caller was busy with. */
function stepOf({steps}: Api.WorkflowTimeline, {from, at, traceparent}: Api.Call): Api.WorkflowStep | undefined {
  const begun = Date.parse(at)
  const isMeanwhile = ({kind, app, startedAt, endedAt}: Api.WorkflowStep): boolean =>
    kind === 'activity' &&
    app === from &&
    Date.parse(startedAt) <= begun &&
    (endedAt === null || begun <= Date.parse(endedAt))
  return steps.find(({span}) => span !== '' && traceparent.includes(span)) ?? steps.find(isMeanwhile)
}

/** Throws a Problem. */
async function originsOf(call: Api.Call, trace: string): Promise<readonly Origin[]> {
  const {workflows} = await ask<Api.Workflows>(`/workflows?${new URLSearchParams({trace, limit: '20'})}`)
  return Promise.all(
    workflows.map(async workflow => {
      const timeline = await ask<Api.WorkflowTimeline>(`/workflow/timeline?${instanceQuery(workflow)}`)
      return {workflow, step: stepOf(timeline, call)}
    })
  )
}

/** The workflows of a call's trace, with the step that made the call. */
export function TraceWorkflows({call, trace}: {readonly call: Api.Call; readonly trace: string}) {
  const [origins, setOrigins] = useState<readonly Origin[]>([])
  useEffect(() => {
    originsOf(call, trace).then(setOrigins, () => undefined) // the calls tell what is wrong
  }, [call.number])
  return origins.map(({workflow, step}) => (
    <p key={workflow.number}>
      Workflow{' '}
      <a href={stepHref(workflow, step)}>
        {visible(`${workflow.name} ${workflow.id}`)}
        {step !== undefined && `, ${stepWords(step)}`}
      </a>
    </p>
  ))
}
