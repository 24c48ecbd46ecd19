import {basename, dirname, join} from 'node:path'
import {loadTemplate} from '../../../files/config/load.ts'
import {UserError} from '../../../model/errors.ts'
import {agentChanges, changeText} from '../agent/files.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {confirm} from '../input.ts'
import {commandPlace} from '../pick-run.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {surroundings} from '../template-named.ts'
import {writeGiven} from '../write-given.ts'

/** `agent init [--yes]`: writes the files of coding agents for this folder's template, after it has shown the change. */
export const agentInit: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`agent init takes no arguments, but got ${words[0] ?? ''}`)
  const {template} = commandPlace(flags)
  if (template === undefined)
    throw new UserError('there is no template in this folder or above it', {
      explanation: 'pillion import writes one from a Procfile, a compose file or the code.',
      code: 'no-template'
    })
  const isWritten = await initAgents(template, {asJson, isAsked: !flags.isSet('yes')})
  if (!isWritten) say(process.stdout, 'info', 'Nothing to change', asJson)
  return 0
}

interface InitWishes {
  readonly asJson: boolean
  /** Ask before anything is written. */
  readonly isAsked: boolean
}

/** Shows and writes the changes for a template. Resolves with false without changes. Throws a UserError if files cannot be written. */
export async function initAgents(template: string, {asJson, isAsked}: InitWishes): Promise<boolean> {
  const {plan} = await loadTemplate([template], surroundings(), {watch: false})
  const folder = dirname(template)
  const changes = agentChanges({template: basename(template), folder, apps: plan.apps})
  if (changes.length === 0) return false
  for (const change of changes) print(process.stdout, changeText(change))
  const names = changes.map(({path}) => path).join(', ')
  if (isAsked && !process.stdin.isTTY)
    throw new UserError('nothing was written', {explanation: `--yes writes ${names}.`, code: 'agree'})
  if (isAsked) await confirm(`write ${names}`)
  for (const {path, after} of changes) writeGiven(join(folder, path), after, path)
  say(process.stdout, 'success', `wrote ${names}`, asJson)
  return true
}
