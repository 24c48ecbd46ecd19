import type {Workflow, WorkflowStep, WorkflowTimeline} from '../../model/api.generated.ts'
import {shellWord} from '../../observe/api/export/shell-words.ts'
import {fittingTable} from './table.ts'
import {humanAge} from './workflow-tables.ts'

/** Returns a timeline for people: the workflow, its current wait, and a line for each step. */
export function timelineText(
  {workflow, steps, missing}: WorkflowTimeline,
  {now, width}: {readonly now: number; readonly width: number}
): string {
  const {name, id, app, status, created, failure} = workflow
  const waits = groupsOf(steps.filter(isWaiting)).map(group => waitsText(group, now))
  const lacks = missing.map(each => `${each} to connect a worker`)
  const what = [...lacks, ...waits].join('; ')
  const standing =
    isOver(workflow) || status === 'STALLED'
      ? failure === ''
        ? ''
        : `: ${failure}`
      : what !== ''
        ? `, waits for ${what}`
        : status === 'RUNNING'
          ? ', waits for an event'
          : ''
  const began = Date.parse(steps[0]?.startedAt ?? created)
  return `${name} ${id} of ${app}: ${status}${standing}\nbegan ${created}, ${humanAge(now - began)} ago\n\n${stepTable(steps, {began, now, width})}\n${traceHint(id)}`
}

/** Names the command that shows the calls of its activities, and the lines of apps. */
const traceHint = (id: string): string =>
  `its calls and lines: pillion trace ${shellWord([Buffer.from(`workflow:${id}`)])}\n`

/** Whether an instance is over. */
export const isOver = ({status}: Pick<Workflow, 'status'>): boolean =>
  !['RUNNING', 'PENDING', 'SUSPENDED', 'STALLED', 'UNKNOWN'].includes(status)

/** A step in one line, when it changes. */
export function stepLine(step: WorkflowStep, began: number): string {
  const {startedAt, endedAt, failure, tries} = step
  const at = Date.parse(endedAt ?? startedAt)
  const parts = [
    `+${spanText(at - began)}`,
    whatText(step),
    stateText(step),
    endedAt === null ? '' : tookText(step, at),
    tries > 1 ? `try ${tries}` : '',
    failure.split('\n', 1)[0] ?? ''
  ]
  return parts.filter(part => part !== '').join('  ')
}

const isWaiting = ({state, kind}: WorkflowStep): boolean => state === 'waits' && kind !== 'suspended'

/** Activities and children of a name together, as a fan-out has them; the oldest first. */
function groupsOf(steps: readonly WorkflowStep[]): readonly (readonly [WorkflowStep, ...WorkflowStep[]])[] {
  const groups = Map.groupBy(steps, ({kind, name, app, until, eventId}) =>
    (kind === 'activity' || kind === 'child') && until === null ? `${kind} ${name} ${app}` : eventId
  )
  return [...groups.values()] as unknown as readonly (readonly [WorkflowStep, ...WorkflowStep[]])[]
}

function waitsText([first, ...others]: readonly [WorkflowStep, ...WorkflowStep[]], now: number): string {
  if (others.length === 0) return waitText(first, now)
  const since = spanText(now - Date.parse(first.startedAt))
  return `${others.length + 1} × ${first.kind} ${first.name} in ${first.app}, the oldest since ${since}`
}

function waitText({kind, name, app, tries, startedAt, until, failure}: WorkflowStep, now: number): string {
  const since = `since ${spanText(now - Date.parse(startedAt))}`
  const left = until === null ? '' : `in ${spanText(Math.max(0, Date.parse(until) - now))}`
  if (kind === 'timer') return `timer${name === '' ? '' : ` ${name}`} ${left}`
  if (kind === 'event') return `event ${name}${left === '' ? '' : `, gives up ${left}`}`
  if (until !== null) return `try ${tries + 1} of ${kind} ${name} ${left} (${failure})`
  return `${kind} ${name} in ${app} ${since}${tries > 1 ? `, try ${tries}` : ''}`
}

function stepTable(
  steps: readonly WorkflowStep[],
  {began, now, width}: {readonly began: number; readonly now: number; readonly width: number}
): string {
  const cells = (cell: (step: WorkflowStep) => string): readonly string[] => steps.map(cell)
  return fittingTable(
    [
      {head: 'STEP', cells: cells(({eventId}) => eventId?.toString() ?? ''), alignsRight: true},
      {head: 'WHAT', cells: cells(whatText), minWidth: 16},
      {head: 'STATE', cells: cells(stateText), minWidth: 8},
      {head: 'BEGAN', cells: cells(({startedAt}) => `+${spanText(Date.parse(startedAt) - began)}`), alignsRight: true},
      {head: 'TOOK', cells: cells(step => tookText(step, now)), alignsRight: true},
      {head: 'TRIES', cells: cells(({tries}) => (tries > 1 ? tries.toString() : '')), alignsRight: true},
      {head: 'APP', cells: cells(({kind, app}) => (kind === 'activity' || kind === 'child' ? app : ''))},
      {head: 'IN', cells: cells(({inputBytes}) => bytesText(inputBytes)), alignsRight: true},
      {head: 'OUT', cells: cells(({outputBytes}) => bytesText(outputBytes)), alignsRight: true},
      {head: 'FAILURE', cells: cells(({failure}) => failure.split('\n', 1)[0] ?? ''), minWidth: 12}
    ],
    width
  )
}

const whatText = ({kind, name, instance}: WorkflowStep): string =>
  [kind === 'end' ? name.toLowerCase() : kind, kind === 'end' ? '' : name, instance]
    .filter(text => text !== '')
    .join(' ')

const stateText = ({kind, state, endedAt, startedAt}: WorkflowStep): string =>
  (kind === 'start' || kind === 'end' || endedAt === startedAt) && state === 'done' ? '' : state

const tookText = ({startedAt, endedAt}: WorkflowStep, now: number): string => {
  const ms = (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)
  return endedAt === startedAt ? '' : `${spanText(ms)}${endedAt === null ? '…' : ''}`
}

/** `8 ms`, `4.2 s`, `3m5s`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return humanAge(ms)
}

const bytesText = (bytes: number): string => {
  if (bytes === 0) return ''
  return bytes < 10_000 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`
}
