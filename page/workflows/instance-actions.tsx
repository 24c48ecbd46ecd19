import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {parseExactly} from '../../src/model/exact-json.ts'
import {announce} from '../parts/announce.tsx'
import {confirm} from '../parts/confirm.tsx'
import {mayChange} from '../state/api.ts'
import {go} from '../state/route.ts'
import {change} from './instances.ts'
import {instanceHref, isOver, isWaiting, workflowsHref} from './words.ts'

/** Returns whether an instance can run again; Dapr cannot rerun a child without its parent. */
const mayRerun = (instance: Api.Workflow): boolean => isOver(instance) && instance.parent === null

/** Runs a finished instance again as a new one. `eventId`: the step to begin with. Undefined for the first. */
async function rerun({app, id}: Api.Workflow, eventId?: number): Promise<void> {
  const again = await change('POST /workflow/{action}', {at: {action: 'rerun'}, body: {app, id, eventId}})
  if (again === undefined) return
  announce(`${id} runs again as ${again.id}`)
  go(instanceHref(again))
}

/** Makes a timer fire now. */
async function skip({app, id}: Api.Workflow, timer: number): Promise<void> {
  if (await change('POST /workflow/{action}', {at: {action: 'skip'}, body: {app, id, timer}}))
    announce(`Skipped a timer of ${id}`)
}

/** Shows the action that a step of an instance allows now. */
export function StepAction({instance, step}: {readonly instance: Api.Workflow; readonly step: Api.WorkflowStep}) {
  const {kind, eventId, name} = step
  if (!mayChange || eventId === null) return null
  if (mayRerun(instance) && ['activity', 'timer', 'child'].includes(kind))
    return (
      <button
        type="button"
        class="once"
        title={`Run ${instance.id} again from ${kind} ${name}`}
        onClick={() => void rerun(instance, eventId)}
      >
        Run from here
      </button>
    )
  if (kind !== 'timer' || !isWaiting(step)) return null
  return (
    <button type="button" title="The timer fires now" onClick={() => void skip(instance, eventId)}>
      Skip
    </button>
  )
}

/** Shows the actions that an instance allows now. `timeline`: has the names of the events that the instance may wait for. */
export function InstanceActions({
  instance,
  timeline
}: {
  readonly instance: Api.Workflow
  readonly timeline: Api.WorkflowTimeline | undefined
}) {
  if (!mayChange) return null
  const {app, id, status} = instance
  const tell = async (action: 'suspend' | 'resume' | 'terminate'): Promise<void> => {
    if (await change('POST /workflow/{action}', {at: {action}, body: {app, id}})) announce(`${action}: ${id}`)
  }
  const purge = async (): Promise<void> => {
    if (await change('POST /workflows/purge', {body: {app, ids: [id]}})) go(workflowsHref())
  }
  if (isOver(instance))
    return (
      <>
        {mayRerun(instance) && (
          <button type="button" class="once" onClick={() => void rerun(instance)}>
            Run again
          </button>
        )}
        <button
          type="button"
          onClick={() => confirm({text: `Remove ${id} with its history?`, yes: 'Remove', run: () => void purge()})}
        >
          Remove …
        </button>
      </>
    )
  return (
    <>
      <button type="button" onClick={() => void tell(status === 'SUSPENDED' ? 'resume' : 'suspend')}>
        {status === 'SUSPENDED' ? 'Resume' : 'Suspend'}
      </button>
      <button
        type="button"
        onClick={() =>
          confirm({text: `Terminate ${id} and its children?`, yes: 'Terminate', run: () => void tell('terminate')})
        }
      >
        Terminate …
      </button>
      <RaiseEvent
        instance={instance}
        names={[
          ...(timeline?.steps.filter(step => isWaiting(step) && step.kind === 'event').map(({name}) => name) ?? []),
          ...(timeline?.events ?? [])
        ]}
      />
    </>
  )
}

/** Shows a form that raises an event. `names`: the events that the instance may wait for. */
function RaiseEvent({
  instance: {app, id},
  names
}: {
  readonly instance: Api.Workflow
  readonly names: readonly string[]
}) {
  const [given, setName] = useState<string | undefined>(undefined)
  const [text, setText] = useState('')
  const [mistake, setMistake] = useState('')
  const event = given ?? names[0] ?? ''
  const all = [...new Set(names)]
  const raise = async (): Promise<void> => {
    let data: unknown
    try {
      data = text === '' ? undefined : parseExactly(text)
    } catch {
      return setMistake(`This is no JSON. Put text in quotes: "${text}"`)
    }
    setMistake('')
    if (!(await change('POST /workflow/{action}', {at: {action: 'raise'}, body: {app, id, event, data}}))) return
    announce(`Raised ${event}`)
    setName(undefined)
    setText('')
  }
  return (
    <form
      class="tools"
      aria-label="Raise an event"
      onSubmit={submitted => {
        submitted.preventDefault()
        void raise()
      }}
    >
      <label>
        Event <input list="event-names" required value={event} onInput={({currentTarget: {value}}) => setName(value)} />
      </label>
      <datalist id="event-names">
        {all.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label>
        Data{' '}
        <input
          placeholder="JSON"
          value={text}
          aria-invalid={mistake !== ''}
          aria-describedby="event-mistake"
          onInput={({currentTarget: {value}}) => setText(value)}
        />
      </label>
      <button type="submit" class="primary">
        Raise{event === '' ? '' : ` ${event}`}
      </button>
      {all.map(
        name =>
          name !== event && (
            <button key={name} type="button" class="chip" onClick={() => setName(name)}>
              {name}
            </button>
          )
      )}
      <span id="event-mistake" class="bad" role={mistake === '' ? undefined : 'alert'}>
        {mistake}
      </span>
    </form>
  )
}
