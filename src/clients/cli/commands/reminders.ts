import type {Reminder} from '../../../model/api.generated.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {age} from '../../../model/duration.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {tableOf} from '../table.ts'
import {onlyWord, runOf} from './workflow/target.ts'
import {oneLine} from '../../../observe/api/export/exporter.ts'

/** `reminders list [TYPE[/ID]]`: lists the reminders of all actors, of a type, or of one actor. */
export const remindersList: CommandHandler = async context => {
  const {flags, words, asJson} = context
  if (words.length > 1) throw new UsageError(`accepts at most 1 arg(s), received ${words.length}`)
  const [type, ...rest] = words[0]?.split('/') ?? []
  const id = rest.join('/')
  const query = {...(type !== undefined && {type}), ...(id !== '' && {id})}
  const {reminders} = await (await runOf(context)).api.ask('GET /reminders', {query})
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(reminders)}\n`)
  else if (reminders.length === 0)
    say(process.stderr, 'info', `No reminder${words.length === 0 ? '' : ` of ${words[0]}`} is set`, asJson)
  else print(process.stdout, reminderTable(reminders))
  return 0
}

export const reminderTable = (reminders: readonly Reminder[]): string =>
  tableOf([
    ['REMINDER', reminders.map(({type, id, name}) => `${type}/${id}/${name}`)],
    ['DUE', reminders.map(({due}) => dueText(due))],
    ['PERIOD', reminders.map(({period}) => period)],
    ['LEFT', reminders.map(({left}) => (left === null ? '' : `${left}`))],
    ['EXPIRES', reminders.map(({expires}) => (expires === null ? '' : dueText(expires)))],
    ['APP', reminders.map(({app}) => app)]
  ])

/** Returns how far away a time is: `in 5m`, or `due`. */
export function dueText(at: string): string {
  const ms = Date.parse(at) - Date.now()
  return ms <= 0 ? 'due' : `in ${age(ms)}`
}

/** Returns the reminder that the only argument names. Names of types, ids and reminders have no slash. Throws a UsageError. */
function reminderIn(context: CommandContext): {type: string; id: string; name: string} {
  const word = onlyWord(context)
  const [type = '', id = '', name = '', ...rest] = word.split('/')
  if (type === '' || name === '' || rest.length > 0)
    throw new UsageError(`invalid argument "${word}": expected TYPE/ID/NAME`)
  return {type, id, name}
}

/** `reminders get TYPE/ID/NAME`: shows a reminder with its data. */
export const getReminder: CommandHandler = async context => {
  const query = reminderIn(context)
  const found = await (await runOf(context)).api.ask('GET /reminder', {query})
  if (context.flags.text('output') === 'json') {
    print(process.stdout, `${JSON.stringify(found)}\n`)
    return 0
  }
  const {dueTime, ttl, data, failurePolicy, ...reminder} = found
  const said = [
    dueTime === '' ? '' : `set for ${dueTime}\n`,
    ttl === '' ? '' : `time to live ${ttl}\n`,
    `when it fails: ${failurePolicy}\n`,
    `data: ${data ?? 'none'}\n`
  ]
  print(process.stdout, reminderTable([reminder]) + said.join(''))
  return 0
}

async function change(context: CommandContext, route: 'POST /reminder/run' | 'POST /reminder/delete'): Promise<number> {
  const body = reminderIn(context)
  const changed = await (await runOf(context)).api.ask(route, {body})
  const {reminder, outcome, answer} = changed
  const isGood = outcome === null || outcome === 'done'
  const name = `Reminder '${reminder.type}/${reminder.id}/${reminder.name}'`
  const behind = answer === '' ? '' : `: ${oneLine(answer)}`
  const words =
    outcome === null
      ? 'is deleted'
      : `${outcome === 'done' ? 'has fired' : outcome === 'failed' ? 'has failed' : 'has not fired'}${behind}`
  if (context.flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(changed)}\n`)
  else say(isGood ? process.stdout : process.stderr, isGood ? 'info' : 'failure', `${name} ${words}`, context.asJson)
  return isGood ? 0 : 1
}

/** `reminders run TYPE/ID/NAME`: fires a reminder now, and prints the answer of its actor. */
export const runReminder: CommandHandler = async context => change(context, 'POST /reminder/run')

/** `reminders delete TYPE/ID/NAME`: deletes a reminder. */
export const deleteReminder: CommandHandler = async context => change(context, 'POST /reminder/delete')
