import type {FoundRun} from '../../../../control/client.ts'
import type {WorkflowTimeline} from '../../../../model/api.generated.ts'
import {UserError} from '../../../../model/errors.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {outputColumns} from '../../columns.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {endWithStdout, print} from '../../print.ts'
import {UsageError} from '../../usage-error.ts'
import {isOver, stepLine, timelineText} from '../../workflow-timeline.ts'
import {appIn, onlyWord, runOf} from './target.ts'

/** `workflow timeline ID [--follow]`: the steps of a workflow, and what it waits for. */
export const workflowTimeline: CommandHandler = async context => {
  const {flags} = context
  const id = onlyWord(context)
  const isJson = flags.text('output') === 'json'
  if (isJson && flags.isSet('follow'))
    throw new UsageError('--follow cannot be combined with -o json: pillion events -f -o ndjson --types workflow')
  const {api} = await runOf(context)
  const ask = async (): Promise<WorkflowTimeline> => api.ask('GET /workflow/timeline', {query: {id, ...appIn(context)}})
  if (flags.isSet('follow')) return followTimeline(api, id, ask)
  const shown = await ask()
  print(
    process.stdout,
    isJson ? `${indentedGoJson(shown)}\n` : timelineText(shown, {now: Date.now(), width: outputColumns(60)})
  )
  return 0
}

/** Shows it, then each step that changes, until the workflow is over. Rejects with a UserError if the run ends before. */
async function followTimeline(api: FoundRun['api'], id: string, ask: () => Promise<WorkflowTimeline>): Promise<number> {
  endWithStdout()
  // from before the first look on: nothing that happens meanwhile is missed
  const news = await api.follow('GET /events', {query: {types: 'workflow'}})
  let shown = await ask()
  print(process.stdout, timelineText(shown, {now: Date.now(), width: outputColumns(60)}))
  if (isOver(shown.workflow)) return 0
  for await (const event of news) {
    if (event.type !== 'workflow' || event.data.id !== id || event.data.app !== shown.workflow.app) continue
    const before = shown.steps.map(step => JSON.stringify(step))
    shown = await ask()
    const began = Date.parse(shown.steps[0]?.startedAt ?? shown.workflow.created)
    for (const [index, step] of shown.steps.entries())
      if (JSON.stringify(step) !== before[index]) print(process.stdout, `${stepLine(step, began)}\n`)
    if (isOver(shown.workflow)) return 0
  }
  throw new UserError(`the run has ended, and ${id} is not over`, {
    explanation: 'It continues when its template runs again.'
  })
}
