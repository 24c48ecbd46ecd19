import type {CommandHandler} from '../../command-handler.ts'
import {outputColumns} from '../../columns.ts'
import {goJson} from '../../go-json.ts'
import {print} from '../../print.ts'
import {timelineText} from '../../workflow-timeline.ts'
import {appIn, onlyWord, outputIn, runOf} from './target.ts'

/** `workflow timeline ID`: the steps of a workflow, and what it waits for. */
export const workflowTimeline: CommandHandler = async context => {
  const id = onlyWord(context)
  const output = outputIn(context, ['table', 'json'])
  const {api} = await runOf(context)
  const told = await api.ask('GET /workflow/timeline', {query: {id, ...appIn(context)}})
  print(
    process.stdout,
    output === 'json' ? `${goJson(told)}\n` : timelineText(told, {now: Date.now(), width: outputColumns(60)})
  )
  return 0
}
