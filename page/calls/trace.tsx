import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {ask, problemOf} from '../state/api.ts'
import {hrefOfCall, statusText} from './columns.tsx'
import {TraceWorkflows} from './trace-workflows.tsx'

/** A call, and how many calls it stands within. */
interface Step {
  readonly call: Api.Call
  readonly depth: number
}

/** All calls of the same trace, those that an app made to answer another one below that. */
export function Trace({call}: {readonly call: Api.CallDetail}) {
  const [steps, setSteps] = useState<readonly Step[] | string | undefined>(undefined)
  const id = call.traceparent.split('-')[1] ?? ''
  const load = (isOpen: boolean): void => {
    if (!isOpen || steps !== undefined) return
    const query = new URLSearchParams({q: `trace:${id}`, limit: '200'})
    ask<{readonly calls: readonly Api.Call[]}>(`/calls?${query}`).then(
      ({calls}) => setSteps(stepsOf(calls)),
      (error: unknown) => setSteps(problemOf(error).message)
    )
  }
  return (
    <details class="message" onToggle={event => load(event.currentTarget.open)}>
      <summary>Calls of the same trace</summary>
      <p class="soft">
        <code>{id}</code>
      </p>
      {steps !== undefined && <TraceWorkflows call={call} trace={id} />}
      {typeof steps === 'string' && <p class="bad">{steps}</p>}
      {typeof steps === 'object' && (
        <ol class="trace" aria-label="Calls of the trace">
          {steps.map(({call: each, depth}) => (
            <li key={each.number} class={`depth-${Math.min(depth, 6)}`}>
              <a href={hrefOfCall(each.number)} aria-current={each.number === call.number ? 'true' : undefined}>
                {visible(`${each.from} → ${each.to}`)}
              </a>{' '}
              <code>{`${each.method} ${visible(each.path)}`}</code>{' '}
              <span class={each.isFailed ? 'bad' : ''}>{statusText(each)}</span> {duration(each.totalMs)}
            </li>
          ))}
        </ol>
      )}
    </details>
  )
}

/** A call belongs to the latest one before it that its caller was busy with. */
function stepsOf(calls: readonly Api.Call[]): readonly Step[] {
  const steps: Step[] = []
  for (const call of calls.toSorted((a, b) => a.number - b.number)) {
    const begun = Date.parse(call.at)
    const parent = steps.findLast(
      ({call: {to, at, totalMs}}) => to === call.from && begun <= Date.parse(at) + totalMs + 1
    )
    const depth = parent === undefined ? 0 : parent.depth + 1
    steps.push({call, depth})
  }
  return steps
}
