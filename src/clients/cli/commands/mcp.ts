import {type CommandHandler, UsageError} from '../command-handler.ts'
import {runFinder} from '../run-here.ts'
import {say} from '../say.ts'

const FOR_AGENTS =
  'This command is for coding agents, which start it themselves: see docs/coding-agents.md. Press Ctrl-C to end it.'

/** `mcp [--read-only]`: tools for coding agents over stdin and stdout, until the client goes away. */
export const mcp: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`mcp takes no arguments, but got ${words[0] ?? ''}`)
  if (process.stdin.isTTY) say(process.stderr, 'info', FOR_AGENTS, asJson)
  const {serveMcp} = await import('../../mcp/serve.ts')
  await serveMcp(async tell => (await runFinder(flags, asJson, tell)).find(), flags.isSet('read-only'))
  return 0
}
