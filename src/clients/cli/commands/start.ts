import {statSync} from 'node:fs'
import {withReason, type FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {UsageError, type CommandContext, type CommandHandler} from '../command-handler.ts'
import {idsOf, runFinder} from '../run-here.ts'
import {say, sayError, UP} from '../say.ts'

/** `start ID …`: returns when the processes of all these apps run. Each app waits for its dependencies. */
export const start: CommandHandler = async context =>
  each('start', context, async ({api}, id) => {
    const {isChanged} = await withReason(async () => api.ask('POST /apps/{id}/start', {at: {id}}))
    return isChanged === true ? `app started successfully: ${id}` : `app is already running: ${id}`
  })

/** `restart ID …`: returns when the new processes of all these apps run. */
export const restart: CommandHandler = async context =>
  each('restart', context, async ({api}, id) => {
    await withReason(async () => api.ask('POST /apps/{id}/restart', {at: {id}}))
    return `app restarted successfully: ${id}`
  })

/** Warns that an edit of the template is not in effect: users expect a restart to apply it. */
function warnOfEdit(runs: readonly FoundRun[], asJson: boolean): void {
  for (const {listing} of runs) {
    const {template, startedAt, isTemplateFollowed} = listing
    if (isTemplateFollowed) continue
    const isEdited = (statSync(template.file, {throwIfNoEntry: false})?.mtimeMs ?? 0) > Date.parse(startedAt)
    if (!isEdited) continue
    const text = `${template.file} was edited after the run began, which does not follow it: "pillion down" and "${UP}" apply the edit, and "up --watch" applies each one`
    say(process.stderr, 'warning', text, asJson)
  }
}

/** Runs an action for all named apps in parallel, and prints each result when it arrives. Returns 1 if one failed. */
async function each(
  verb: string,
  {words, flags, asJson}: CommandContext,
  act: (run: FoundRun, id: string) => Promise<string>
): Promise<number> {
  const ids = idsOf({words, flags})
  if (ids.length === 0) throw new UsageError(`${verb} needs the id of an app`)
  const finder = await runFinder(flags, asJson)
  const used = new Set<FoundRun>()
  const one = async (id: string): Promise<boolean> => {
    try {
      const run = finder.find(id)
      used.add(run)
      say(process.stdout, 'success', await act(run, id), asJson)
      return true
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      sayError(error, asJson, `failed to ${verb} app id ${id}: ${error.message}`)
      return false
    }
  }
  const done = await Promise.all(ids.map(one))
  warnOfEdit([...used], asJson)
  return done.every(Boolean) ? 0 : 1
}
