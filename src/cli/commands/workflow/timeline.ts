import type {CommandHandler} from '../../command-handler.ts'
import {outputColumns} from '../../columns.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {print} from '../../print.ts'
import {timelineText} from '../../workflow-timeline.ts'
import {appIn, onlyWord, runOf} from './target.ts'

/** `workflow timeline ID`: the steps of a workflow, and what it waits for. */
export const workflowTimeline: CommandHandler = async context => {
  const id = onlyWord(context)
  const output = context.flags.text('output') ?? 'table'
  const {api} = await runOf(context)
  const told = await api.ask('GET /workflow/timeline', {query: {id, ...appIn(context)}})
  print(
    process.stdout,
    output === 'json' ? `${indentedGoJson(told)}\n` : timelineText(told, {now: Date.now(), width: outputColumns(60)})
  )
  return 0
}
