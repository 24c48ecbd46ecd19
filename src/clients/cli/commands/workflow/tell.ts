import {jsonOrText} from '../../../../model/exact-json.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {appIn, onlyWord, runOf} from './target.ts'

interface Change {
  readonly action: 'suspend' | 'resume' | 'terminate' | 'raise' | 'skip'
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
  /** The text that reports success. */
  readonly done: string
}

async function tell(context: CommandContext, {action, id, body, done}: Change): Promise<number> {
  const {api} = await runOf(context)
  await api.ask('POST /workflow/{action}', {at: {action}, body: {id, ...appIn(context), ...body}})
  say(process.stdout, 'info', `Workflow '${id}' ${done} successfully`, context.asJson)
  return 0
}

const withReason =
  (action: 'suspend' | 'resume', done: string): CommandHandler =>
  async context => {
    return tell(context, {action, id: onlyWord(context), body: {reason: context.flags.text('reason') ?? ''}, done})
  }

export const suspendWorkflow = withReason('suspend', 'suspended')

export const resumeWorkflow = withReason('resume', 'resumed')

export const terminateWorkflow: CommandHandler = async context => {
  const output = context.flags.text('output')
  const body = output === undefined ? {} : {output: jsonOrText(output)}
  return tell(context, {action: 'terminate', id: onlyWord(context), body, done: 'terminated'})
}

export const skipTimer: CommandHandler = async context => {
  const timer = context.flags.int('timer')
  const body = timer === undefined ? {} : {timer}
  return tell(context, {action: 'skip', id: onlyWord(context), body, done: 'skipped a timer'})
}

/** `workflow raise-event ID/EVENT` */
export const raiseEvent: CommandHandler = async context => {
  const parts = onlyWord(context).split('/')
  const [id = '', event = ''] = parts
  if (parts.length !== 2) throw new UsageError("the argument must be in the format '<instance-id>/<event-name>'")
  const input = context.flags.text('input')
  const body = {event, ...(input !== undefined && {data: jsonOrText(input)})}
  return tell(context, {action: 'raise', id, body, done: `raised event '${event}'`})
}
