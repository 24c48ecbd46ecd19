import {UserError} from '../../../../model/errors.ts'
import {type CommandContext, UsageError} from '../../command-handler.ts'

/** How the names of each kind are made (Dapr's CLI: pkg/scheduler/stored). */
const FORMATS = [
  'app/{app ID}/{job name}',
  'actor/{actor type}/{actor id}/{name}',
  'workflow/{app ID}/{instance ID}/{name}',
  'activity/{app ID}/{activity ID}'
]

/** The names that a command has been given. Throws a UserError in Dapr's words for a wrong name. */
export function checkedNames({words}: CommandContext): readonly string[] {
  if (words.length === 0) throw new UsageError('requires at least 1 arg(s), only received 0')
  for (const word of words) {
    const parts = word.split('/')
    const format = FORMATS.find(each => each.startsWith(`${parts[0] ?? ''}/`))
    if (format === undefined)
      throw new UserError(`unsupported job type '${parts[0] ?? ''}', accepts 'app', 'actor', 'workflow', or 'activity'`)
    if (parts.length < format.split('/').length || parts.includes(''))
      throw new UserError(`expecting job key to be in format '${format}', got '${word}'`)
  }
  return words
}

/** The scope of `delete-all`. Throws a UserError. */
export function checkedScope({words}: CommandContext): string {
  const [word = ''] = words
  if (words.length !== 1) throw new UsageError(`accepts 1 arg(s), received ${words.length}`)
  const [kind = '', ...parts] = word.split('/')
  const most = {all: 0, app: 1, actor: 2, workflow: 2}[kind]
  if (most !== undefined && parts.length <= most && !parts.includes('')) return word
  throw new UserError(`invalid key format: ${word}`, {
    explanation: 'Write all, app[/id], actor/type[/id] or workflow[/id[/instance]].'
  })
}
