import type {FoundRun} from '../../../../control/client.ts'
import type {WorkflowTimeline} from '../../../../model/api.generated.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {outputColumns} from '../../columns.ts'
import {followedEvents} from '../../followed-events.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {endWithStdout, print} from '../../print.ts'
import {isOver, stepLine, timelineText} from '../../workflow-timeline.ts'
import {appIn, onlyWord, runOf} from './target.ts'

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
    isJson ? `${indentedGoJson(shown)}\n` : timelineText(shown, {now: Date.now(), width: outputColumns(60)})
  )
  return 0
}

/** Shows it, then each step that changes, until the workflow is over. Rejects with a UserError if the run ends before. */
async function followTimeline(run: FoundRun, id: string, ask: () => Promise<WorkflowTimeline>): Promise<number> {
  endWithStdout()
  let shown: WorkflowTimeline | undefined
  for await (const event of followedEvents(run, {types: 'workflow'})) {
    // `hello` is the first event, and `reset` replaces missed events
    const isNews = event.type === 'workflow' && event.data.id === id && event.data.app === shown?.workflow.app
    if (!isNews && event.type !== 'hello' && event.type !== 'reset') continue
    const before = shown?.steps.map(step => JSON.stringify(step))
    shown = await ask()
    if (before === undefined) print(process.stdout, timelineText(shown, {now: Date.now(), width: outputColumns(60)}))
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
