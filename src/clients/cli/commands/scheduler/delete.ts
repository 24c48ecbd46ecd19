import {UserError} from '../../../../model/errors.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {runOf} from '../workflow/target.ts'
import {shownNamespace} from './list.ts'
import {checkedNames, checkedScope} from './names.ts'

/** `scheduler delete NAME…` */
export const schedulerDelete: CommandHandler = async context => {
  const names = checkedNames(context)
  const namespace = shownNamespace(context)
  const {api} = await runOf(context)
  const {deleted, missing} = await api.ask('POST /scheduled/delete', {body: {names}})
  for (const {name} of deleted)
    say(process.stdout, 'info', `Deleted ${name} in namespace '${namespace}'.`, context.asJson)
  if (missing.length > 0) throw new UserError(`no job with key '${missing[0] ?? ''}' found in namespace '${namespace}'`)
  return 0
}

/** `scheduler delete-all all|app[/id]|actor/type[/id]|workflow[/id[/instance]]` */
export const schedulerDeleteAll: CommandHandler = async context => {
  const within = checkedScope(context)
  const {api} = await runOf(context)
  const {deleted} = await api.ask('POST /scheduled/delete', {body: {within}})
  for (const {stored} of deleted) say(process.stdout, 'info', `Deleted job '${stored}'.`, context.asJson)
  const text = `Deleted ${deleted.length} jobs in namespace '${shownNamespace(context)}'.`
  say(process.stdout, 'info', text, context.asJson)
  return 0
}
