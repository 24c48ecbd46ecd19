import {oneLine} from '../../../../observe/api/export/exporter.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {runOf} from '../workflow/target.ts'
import {reminderIn} from './list.ts'

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

/** `reminders run TYPE/ID/NAME` */
export const runReminder: CommandHandler = async context => change(context, 'POST /reminder/run')

/** `reminders delete TYPE/ID/NAME` */
export const deleteReminder: CommandHandler = async context => change(context, 'POST /reminder/delete')
