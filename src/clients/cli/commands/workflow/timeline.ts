import type {FoundRun} from '../../../../control/client.ts'
import type {WorkflowTimeline, Workflow, WorkflowStep} from '../../../../model/api.generated.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {outputColumns} from '../../width.ts'
import {followedEvents} from '../../followed-events.ts'
import {indentedGoJson, structured} from '../../structured.ts'
import {endWithStdout, print} from '../../print.ts'
import {folded} from '../../say.ts'
import {appIn, onlyWord, runOf} from './target.ts'
import {shellWord} from '../../../../observe/api/export/shell-words.ts'
import {fittingTable} from '../../table.ts'
import {humanAge, historyRows, shortHistory, wideHistory} from '../../workflow-tables.ts'

/** `workflow timeline ID [--follow]`: the steps of a workflow, and its current wait. */
export const workflowTimeline: CommandHandler = async context => {
  const {flags} = context
  const id = onlyWord(context)
  const isJson = flags.text('output') === 'json'
  if (isJson && flags.isSet('follow'))
    throw new UsageError('--follow cannot be combined with -o json: pillion events -f -o ndjson --types workflow')
  const run = await runOf(context)
  const ask = async (): Promise<WorkflowTimeline> =>
    run.api.ask('GET /workflow/timeline', {query: {id, ...appIn(context)}})
  if (flags.isSet('follow')) return followTimeline(run, id, ask)
  const shown = await ask()
  print(
    process.stdout,
    isJson ? `${indentedGoJson(shown)}\n` : timelineText(shown, {now: Date.now(), width: outputColumns(40)})
  )
  return 0
}

/** Prints the timeline, then each step that changes, until the workflow is over. Rejects with a UserError if the run ends before. */
async function followTimeline(run: FoundRun, id: string, ask: () => Promise<WorkflowTimeline>): Promise<number> {
  endWithStdout()
  let shown: WorkflowTimeline | undefined
  for await (const event of followedEvents(run, {types: 'workflow'})) {
    // also asks again after `hello`, the first event, and `reset`, which replaces missed events
    const isNews = event.type === 'workflow' && event.data.id === id && event.data.app === shown?.workflow.app
    if (!isNews && event.type !== 'hello' && event.type !== 'reset') continue
    const before = shown?.steps.map(step => JSON.stringify(step))
    shown = await ask()
    if (before === undefined) print(process.stdout, timelineText(shown, {now: Date.now(), width: outputColumns(40)}))
    else {
      const began = Date.parse(shown.steps[0]?.startedAt ?? shown.workflow.created)
      for (const [index, step] of shown.steps.entries())
        if (JSON.stringify(step) !== before[index]) print(process.stdout, `${stepLine(step, began)}\n`)
    }
    if (isOver(shown.workflow)) return 0
  }
  throw new UserError(`the run has ended, and ${id} is not over`, {
    explanation: 'It continues when its template runs again.'
  })
}

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
  const head = `${name} ${id} of ${app}: ${status}${standing}\nbegan ${created}, ${humanAge(now - began)} ago\n\n`
  return `${folded(head, width)}${stepTable(steps, {began, now, width})}\n${folded(traceHint(id), width)}`
}

/** Names the command that shows the calls of a workflow, and the lines that apps wrote meanwhile. */
const traceHint = (id: string): string =>
  `its calls and lines: pillion trace ${shellWord([Buffer.from(`workflow:${id}`)])}\n`

const isOver = ({status}: Pick<Workflow, 'status'>): boolean =>
  !['RUNNING', 'PENDING', 'SUSPENDED', 'STALLED', 'UNKNOWN'].includes(status)

/** Formats a step that has changed as a line of `--follow`. `began`: start of the workflow, in ms since 1970. */
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

/** Groups steps: activities, or children, of the same name and app, as of a fan-out. Other steps are alone. The oldest is first. */
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
      {head: 'WHAT', cells: cells(whatText), minWidth: 16, isMain: true},
      {head: 'STATE', cells: cells(stateText), minWidth: 8, isMain: true},
      {head: 'BEGAN', cells: cells(({startedAt}) => `+${spanText(Date.parse(startedAt) - began)}`), alignsRight: true},
      {head: 'TOOK', cells: cells(step => tookText(step, now)), alignsRight: true},
      {head: 'TRIES', cells: cells(({tries}) => (tries > 1 ? tries.toString() : '')), alignsRight: true},
      {head: 'APP', cells: cells(({kind, app}) => (kind === 'activity' || kind === 'child' ? app : ''))},
      {head: 'IN', cells: cells(({inputBytes}) => bytesText(inputBytes)), alignsRight: true},
      {head: 'OUT', cells: cells(({outputBytes}) => bytesText(outputBytes)), alignsRight: true},
      {head: 'FAILURE', cells: cells(({failure}) => failure.split('\n', 1)[0] ?? ''), minWidth: 12, isMain: true}
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

/** Formats a duration: `8 ms`, `4.2 s`, `3m5s`. */
function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return humanAge(ms)
}

const bytesText = (bytes: number): string => {
  if (bytes === 0) return ''
  return bytes < 10_000 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`
}

/** `workflow history ID`: the events in the history of a workflow, as Dapr's CLI prints them. */
export const workflowHistory: CommandHandler = async context => {
  const id = onlyWord(context)
  const output = context.flags.text('output') ?? 'short'
  const {api} = await runOf(context)
  const history = await api.ask('GET /workflow/history', {query: {id, ...appIn(context)}})
  const rows = historyRows(history, context.flags.text('namespace') ?? 'default', Date.now())
  if (output === 'json' || output === 'yaml') print(process.stdout, await structured(rows, output))
  else print(process.stdout, output === 'wide' ? wideHistory(rows) : shortHistory(rows))
  return 0
}
