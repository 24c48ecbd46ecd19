import {jsonOrText} from '../../../../model/exact-json.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {readMoment, appIn, onlyWord, runOf} from './target.ts'

/** `workflow run NAME`: starts a workflow. */
export const runWorkflow: CommandHandler = async context => {
  const {flags, asJson} = context
  const name = onlyWord(context)
  const [input, instance, start] = [flags.text('input'), flags.text('instance-id'), flags.text('start-time')]
  const startAt = start === undefined ? undefined : readMoment(start, 'start-time', {isPast: false, now: Date.now()})
  const {api} = await runOf(context)
  const {id, app, workers} = await api.ask('POST /workflows', {
    body: {
      ...appIn(context),
      name,
      ...(instance !== undefined && {id: instance}),
      ...(input !== undefined && {input: jsonOrText(input)}),
      ...(startAt !== undefined && {startAt: new Date(startAt).toISOString()})
    }
  })
  say(process.stdout, 'info', `Workflow instance started successfully: ${id}`, asJson)
  if (workers === 0)
    say(process.stderr, 'pending', `"${app}" has no worker of workflows connected: it begins when one connects`, asJson)
  return 0
}

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
