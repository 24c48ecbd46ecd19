import {nearestTemplate} from '../../files/config/find.ts'
import {UserError} from '../../model/errors.ts'
import {whyNotFound} from '../../platform/program-version.ts'
import type {CommandContext} from './command-handler.ts'
import {loadedTemplate} from './selected-apps.ts'
import {shownPath} from './pick-run.ts'
import {UP} from './say.ts'

/** Throws a UserError if the only word of `run` names an app of this folder's template, and no program: nothing is started. */
export async function refuseNamedApp(call: CommandContext): Promise<void> {
  const [id = ''] = call.words
  const template = nearestTemplate(process.cwd())
  if (template === undefined || whyNotFound([id], process.cwd(), process.env['PATH'] ?? '') === '') return
  const flags = call.flags.with({'run-file': [template]})
  const loaded = await loadedTemplate({...call, words: [], flags}).catch(() => undefined) // another command reports mistakes of the template
  const {apps = [], leftOut = []} = loaded?.plan ?? {}
  if (![...apps, ...leftOut].some(app => app.id === id)) return
  throw new UserError(`"${id}" is an app of ${shownPath(template)}, not a program`, {
    explanation: `${UP} --only ${id} starts it and what it depends on; in a run, pillion start ${id} does.`
  })
}
