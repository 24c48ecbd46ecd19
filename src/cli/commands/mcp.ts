import type {CommandHandler} from '../command-handler.ts'
import {runHere} from '../run-here.ts'
import {UsageError} from '../usage-error.ts'

/** `mcp [--read-only]`: tools for coding agents over stdin and stdout, until the client goes away. */
export const mcp: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`mcp takes no arguments, and got ${words[0] ?? ''}`)
  const runFile = flags.text('run-file')
  const {serveMcp} = await import('../../mcp/serve.ts')
  await serveMcp({findRun: async () => runHere(runFile, asJson), isReadOnly: flags.isSet('read-only')})
  return 0
}
