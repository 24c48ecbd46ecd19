import type {FoundRun} from '../../../../control/client.ts'
import {type CommandContext, UsageError} from '../../command-handler.ts'
import {runFinder} from '../../run-here.ts'

/** The run that a verb is for: that of the app, if one is named. Throws a UserError. */
export const runOf = async ({flags, asJson}: CommandContext): Promise<FoundRun> =>
  (await runFinder(flags, asJson)).find(flags.text('app-id'))

/** `--app-id`, as the API takes it. */
export const appIn = ({flags}: CommandContext): {readonly app?: string} => {
  const app = flags.text('app-id')
  return app === undefined ? {} : {app}
}

/** The only argument. Throws a UsageError in cobra's words. */
export function onlyWord({words}: CommandContext): string {
  const [word] = words
  if (word !== undefined && words.length === 1) return word
  throw new UsageError(`accepts 1 arg(s), received ${words.length}`)
}
