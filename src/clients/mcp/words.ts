import {messageOf, UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'

/** Tools whose names differ from the command's. */
const TOOL_OF = new Map([
  ['workflow', 'workflows'],
  ['logs', 'app_logs'],
  ['ps', 'list_apps']
])

/** Replaces commands and flags in a message by tools and arguments. */
export const inToolWords = (message: string): string =>
  message
    .replaceAll(
      /"?\bpillion ([a-z]+)(?: (?:list|ID|-[\w-]+))*"?/g,
      (_, verb: string) => `the tool "${TOOL_OF.get(verb) ?? verb}"`
    )
    .replaceAll(/APP\/JOB, or --app-id|--app-id/g, '"app"')
    .replaceAll(/--name (\S+)/g, 'run "$1"')
    .replaceAll(/--([a-z]+)(?=\b[^-])/g, '"$1"')

/** Returns an error as a sentence with the next step. */
export function sentence(error: unknown): string {
  const hint = error instanceof UserError && error.explanation !== '' ? ` ${error.explanation}` : ''
  return inToolWords(`${messageOf(error)}.${hint}`)
}

export function noTool(name: string, names: readonly string[]): string {
  const near = nearMiss(name, names)
  return `there is no tool "${name}"${near === '' ? '' : `: did you mean ${near}?`} There are: ${names.join(', ')}.`
}
