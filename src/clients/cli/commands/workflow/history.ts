import type {CommandHandler} from '../../command-handler.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {print} from '../../print.ts'
import {historyRows, shortHistory, wideHistory} from '../../workflow-tables.ts'
import {appIn, onlyWord, runOf} from './target.ts'

/** `workflow history ID`: the events of a workflow. */
export const workflowHistory: CommandHandler = async context => {
  const id = onlyWord(context)
  const output = context.flags.text('output') ?? 'short'
  const {api} = await runOf(context)
  const history = await api.ask('GET /workflow/history', {query: {id, ...appIn(context)}})
  const rows = historyRows(history, context.flags.text('namespace') ?? 'default', Date.now())
  if (output === 'json') print(process.stdout, indentedGoJson(rows))
  else if (output === 'yaml') print(process.stdout, (await import('../../yaml.ts')).plainYaml(rows))
  else print(process.stdout, output === 'wide' ? wideHistory(rows) : shortHistory(rows))
  return 0
}
