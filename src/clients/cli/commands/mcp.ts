import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {outputOfOwn} from '../../../platform/own-program.ts'
import type {Host} from '../../mcp/tool.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import type {GivenFlags} from '../given-flags.ts'
import {commandPlace, runName, runsAt, runsMeant, shownPath, startText} from '../pick-run.ts'
import {runsHere} from '../run-here.ts'
import {say} from '../say.ts'

const FOR_AGENTS =
  'This command is for coding agents, which start it themselves: see docs/coding-agents.md. Press Ctrl-C to end it.'

/** `mcp [--read-only]`: tools for coding agents over stdin and stdout, until the client closes the connection. */
export const mcp: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`mcp takes no arguments, but got ${words[0] ?? ''}`)
  if (process.stdin.isTTY) say(process.stderr, 'info', FOR_AGENTS, asJson)
  const {serveMcp} = await import('../../mcp/serve.ts')
  await serveMcp(hostOf(flags, asJson), flags.isSet('read-only'))
  return 0
}

/** Returns the functions that tools use. Each call of a tool looks for its run again, since runs start and end. */
function hostOf(flags: GivenFlags, asJson: boolean): Host {
  const file = flags.text('run-file')
  const fixed = flags.text('name')
  const meant = async (name: string): Promise<readonly FoundRun[]> =>
    runsMeant(await runsHere(asJson), {...commandPlace(flags), name: name || fixed})
  return {
    names: async () => (await meant('')).map(({listing}) => listing.name),
    find: async (name, tell) => {
      const [run, ...others] = await meant(name)
      if (run === undefined) throw noRunFor(name, flags)
      if (others.length > 0) {
        const names = [run, ...others].map(({listing}) => listing.name)
        throw new UserError(`there are several runs: ${names.join(', ')}`, {
          explanation: `Give one of these names as "run".`
        })
      }
      if (name === '' && !runsAt([run], commandPlace(flags)).flat().includes(run))
        tell(`Using the run of another folder: ${runName(run.listing)}`)
      return run
    },
    command: async args => {
      const named = args.includes('--name') || fixed === undefined ? [] : ['--name', fixed]
      return outputOfOwn([...args, ...(file === undefined ? [] : ['--run-file', file]), ...named])
    }
  }
}

/** Returns the error for a missing run. Does not name runs of other folders: an agent would use them. */
function noRunFor(name: string, flags: GivenFlags): UserError {
  const place = commandPlace(flags)
  const start = startText(place)
  if (start !== '') return new UserError(start, {explanation: 'The tool "up" waits for it.'})
  if (name !== '') return new UserError(`no run is called "${name}"`, {explanation: 'The tool "up" starts one.'})
  const what = place.template === undefined ? 'there is no run' : `${shownPath(place.template)} is not running`
  return new UserError(what, {explanation: 'The tool "up" starts it.'})
}
