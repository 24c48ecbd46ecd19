import type * as Api from '../../src/model/api.generated.ts'
import {duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {hrefOf, route} from '../state/route.ts'
import {ownOf} from '../../src/model/own.ts'

const OVER: ReadonlySet<Api.WorkflowStatus> = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED'])

/** Returns whether an instance has ended. */
export const isOver = ({status}: Pick<Api.Workflow, 'status'>): boolean => OVER.has(status)

/** Returns a status as words, such as `running` or `failed`. */
export const statusWord = ({status}: Pick<Api.Workflow, 'status'>): string => status.toLowerCase().replaceAll('_', ' ')

const SIGNS: Readonly<Partial<Record<Api.WorkflowStatus, readonly [sign: string, tone: string]>>> = {
  RUNNING: ['◐', 'busy'],
  PENDING: ['◌', 'busy'],
  SUSPENDED: ['❚❚', 'off'],
  STALLED: ['▲', 'bad'],
  COMPLETED: ['●', 'good'],
  FAILED: ['✕', 'bad'],
  TERMINATED: ['■', 'off'],
  CANCELED: ['■', 'off']
}

/** Returns a sign and a CSS class for a status. */
export const signOf = ({status}: Pick<Api.Workflow, 'status'>): readonly [sign: string, tone: string] =>
  ownOf(SIGNS, status) ?? ['○', 'off']

/** Returns the CSS class of an instance's row. */
export const toneOf = ({status}: Pick<Api.Workflow, 'status'>): string => (status === 'FAILED' ? 'bad' : '')

/** Returns the key of an instance; its id alone is unique only within an app. */
export const instanceKey = ({app, id}: Pick<Api.Workflow, 'app' | 'id'>): string => `${app}/${id}`

/** Returns the address of the instance list with the filter that it has now; `rest`: app and id of the instance to open. */
export function workflowsHref(rest: readonly string[] = [], step = ''): string {
  const {view, parameters} = route.value
  const chosen = (name: string): string => (view === 'workflows' ? (parameters.get(name) ?? '') : '')
  return hrefOf('workflows', rest, {name: chosen('name'), status: chosen('status'), step})
}

export const instanceHref = ({app, id}: Pick<Api.Workflow, 'app' | 'id'>): string => workflowsHref([app, id])

/** Returns the address of an instance with one of its steps opened. */
export const stepHref = ({app, id}: Pick<Api.Workflow, 'app' | 'id'>, step: Api.WorkflowStep | undefined): string =>
  workflowsHref([app, id], step?.eventId?.toString())

/** Returns the query parameters by which the API finds an instance. */
export const instanceQuery = ({app, id}: Pick<Api.Workflow, 'app' | 'id'>): URLSearchParams =>
  new URLSearchParams({app, id})

export const isWaiting = ({state, kind}: Api.WorkflowStep): boolean => state === 'waits' && kind !== 'suspended'

/** Returns what a step is: `activity charge`, `timer` or `event approve`. */
export const stepWords = ({kind, name, instance}: Api.WorkflowStep): string =>
  visible(
    [kind === 'end' ? statusWord({status: name as Api.WorkflowStatus}) : `${kind} ${name}`, instance].join(' ').trim()
  )

/** Returns what a step waits for, and since when: `activity charge in bank since 4.0 s, try 2`. `now`: in ms since 1970. */
function waitWords(step: Api.WorkflowStep, now: number, mayBeEvent: boolean): string {
  const {kind, name, app, tries, startedAt, until, failure} = step
  const left = until === null ? '' : `in ${duration(Math.max(0, Date.parse(until) - now))}`
  if (kind === 'timer') return `timer ${name} ${left}${mayBeEvent ? ', or an event' : ''}`.replaceAll('  ', ' ')
  if (kind === 'event') return `event ${name}${left === '' ? '' : `, gives up ${left}`}`
  if (until !== null) return `try ${tries + 1} of ${kind} ${name} ${left} (${failure})`
  const since = duration(Math.max(0, now - Date.parse(startedAt)))
  return `${kind} ${name} in ${app} since ${since}${tries > 1 ? `, try ${tries}` : ''}`
}

/** Returns what an instance waits for; empty if it has ended or stalled, or its steps do not tell. `now`: in ms since 1970. */
export function standing({workflow, steps, missing, events}: Api.WorkflowTimeline, now: number): string {
  if (isOver(workflow) || workflow.status === 'STALLED') return ''
  const waiting = steps.filter(isWaiting)
  const waits = [
    ...missing.map(app => `${app} to connect a worker`),
    ...waiting.map(step => waitWords(step, now, events.length > 0 && waiting.every(({kind}) => kind !== 'event')))
  ]
  return waits.length === 0 ? '' : visible(`waits for ${waits.join('; ')}`)
}
