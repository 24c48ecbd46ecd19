import {jsonOrText} from '../../../../model/exact-json.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {appIn, onlyWord, runOf} from './target.ts'

/** `workflow rerun ID`: runs a workflow that is over once more, from one of its steps. */
export const rerunWorkflow: CommandHandler = async context => {
  const {flags, asJson} = context
  const id = onlyWord(context)
  const [input, newId, eventId] = [flags.text('input'), flags.text('new-instance-id'), flags.int('event-id')]
  const {api} = await runOf(context)
  const rerun = await api.ask('POST /workflow/{action}', {
    at: {action: 'rerun'},
    body: {
      id,
      ...appIn(context),
      ...(eventId !== undefined && {eventId}),
      ...(newId !== undefined && {newId}),
      ...(input !== undefined && {input: jsonOrText(input)})
    }
  })
  say(process.stdout, 'info', `Rerunning workflow instance: ${rerun.id}`, asJson)
  return 0
}
