import type * as Api from '../../src/model/api.generated.ts'
import {hrefOfCall, statusText} from '../calls/columns.tsx'
import {LinesAround} from '../calls/lines-around.tsx'
import {duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {now} from '../state/clock.ts'
import {api} from '../state/api.ts'
import {useAsked} from '../state/asked.ts'
import {stepWords} from './words.ts'

/** Returns the start of a step, and its end or the current time, in ms since 1970. */
const spanOf = ({startedAt, endedAt}: Api.WorkflowStep): readonly [from: number, until: number] => [
  Date.parse(startedAt),
  endedAt === null ? now.peek() : Date.parse(endedAt)
]

/** Returns the calls of an activity: those with its span or trace id, or else all that its app made meanwhile. Throws an ApiError. */
async function callsOf(step: Api.WorkflowStep, trace: string, signal: AbortSignal): Promise<Found> {
  const [since, until] = spanOf(step).map(ms => new Date(ms).toISOString())
  const query = {q: `from:${step.app} since:${since} until:${until}`, limit: 200}
  const {calls} = await api.ask('GET /calls', {query, signal})
  const inOrder = calls.toReversed()
  for (const known of [step.span, trace]) {
    const own = known === '' ? [] : inOrder.filter(({traceparent}) => traceparent.includes(known))
    if (own.length > 0) return {calls: own, isTraced: true}
  }
  return {calls: inOrder, isTraced: false}
}

interface Found {
  readonly calls: readonly Api.Call[]
  readonly isTraced: boolean
}

/** Shows what an activity did: its calls, and what its app wrote meanwhile. */
export function StepDetail({step, trace}: {readonly step: Api.WorkflowStep; readonly trace: string}) {
  const [from, until] = spanOf(step)
  const found = useAsked(async signal => callsOf(step, trace, signal), [step.eventId, step.endedAt])
  const app = visible(step.app)
  return (
    <section class="box note" aria-label={`What ${stepWords(step)} did`}>
      <h3>{stepWords(step)}</h3>
      {found === undefined && <p class="soft">Asking the run …</p>}
      {typeof found === 'string' && <p class="bad">{found}</p>}
      {typeof found === 'object' && (
        <>
          <p class="soft">{callsText(found, app)}</p>
          <ol class="trace" aria-label="Calls of the step">
            {found.calls.map(call => (
              <li key={call.number}>
                <a href={hrefOfCall(call.number)}>{visible(`${call.from} → ${call.to}`)}</a>{' '}
                <code>{`${call.method} ${visible(call.path)}`}</code>{' '}
                <span class={call.isFailed ? 'bad' : ''}>{statusText(call)}</span> {duration(call.totalMs)}
              </li>
            ))}
          </ol>
        </>
      )}
      <LinesAround key={step.endedAt} apps={[step.app]} from={from} until={until} />
    </section>
  )
}

function callsText({calls, isTraced}: Found, app: string): string {
  if (calls.length === 0) return `${app} made no recorded call meanwhile.`
  return isTraced
    ? 'Its calls:'
    : `Calls of ${app} meanwhile; its SDK does not pass the trace on, so some may be of others:`
}
