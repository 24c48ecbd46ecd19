/** Commands that start a workflow, or change one: run, rerun, suspend, resume, terminate, skip, raise-event. */
import {jsonOrText} from '../../../../model/exact-json.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
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

/** `workflow rerun ID`: runs a finished workflow again, from one of its steps. */
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

interface Change {
  readonly action: 'suspend' | 'resume' | 'terminate' | 'raise' | 'skip'
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
  /** Words of the report after the id: `suspended`. */
  readonly done: string
}

/** Changes a workflow, and reports success. */
async function change(context: CommandContext, {action, id, body, done}: Change): Promise<number> {
  const {api} = await runOf(context)
  await api.ask('POST /workflow/{action}', {at: {action}, body: {id, ...appIn(context), ...body}})
  say(process.stdout, 'info', `Workflow '${id}' ${done} successfully`, context.asJson)
  return 0
}

const withReason =
  (action: 'suspend' | 'resume', done: string): CommandHandler =>
  async context => {
    return change(context, {action, id: onlyWord(context), body: {reason: context.flags.text('reason') ?? ''}, done})
  }

export const suspendWorkflow = withReason('suspend', 'suspended')

export const resumeWorkflow = withReason('resume', 'resumed')

export const terminateWorkflow: CommandHandler = async context => {
  const output = context.flags.text('output')
  const body = output === undefined ? {} : {output: jsonOrText(output)}
  return change(context, {action: 'terminate', id: onlyWord(context), body, done: 'terminated'})
}

export const skipTimer: CommandHandler = async context => {
  const timer = context.flags.int('timer')
  const body = timer === undefined ? {} : {timer}
  return change(context, {action: 'skip', id: onlyWord(context), body, done: 'skipped a timer'})
}

/** `workflow raise-event ID/EVENT`: sends an event to a workflow. */
export const raiseEvent: CommandHandler = async context => {
  const parts = onlyWord(context).split('/')
  const [id = '', event = ''] = parts
  if (parts.length !== 2) throw new UsageError("the argument must be in the format '<instance-id>/<event-name>'")
  const input = context.flags.text('input')
  const body = {event, ...(input !== undefined && {data: jsonOrText(input)})}
  return change(context, {action: 'raise', id, body, done: `raised event '${event}'`})
}
