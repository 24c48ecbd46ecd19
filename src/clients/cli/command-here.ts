import type {FoundRun} from '../../control/client.ts'
import type {MovedPorts} from '../../model/moved-ports.ts'
import {isolatedPlan} from '../../proxy/ports/isolated-plan.ts'
import type {CommandContext} from './command-handler.ts'
import {loadedTemplate} from './selected-apps.ts'

/** Returns the ports that the run uses in place of those in its template: by the template's port, the run's. */
export const movedIn = ({listing: {movedPorts = {}}}: FoundRun): MovedPorts =>
  new Map(Object.entries(movedPorts).map(([from, to]) => [Number(from), to]))

/**
 * Returns the environment of a command that runs next to the apps (`exec`, `up --run`): that of this process, then `env` of the template's
 * `common` with the run's own port numbers. Rejects with a UserError if the template has a mistake.
 */
export async function environmentHere(call: CommandContext, run: FoundRun): Promise<Record<string, string>> {
  const {template, run: marker} = run.listing
  const own = {...process.env, PILLION_EXEC: marker} as Record<string, string>
  if (template.file === '') return own
  const files = call.flags.list('run-file')
  const flags = call.flags.with({'run-file': files.length > 0 ? files : [template.file]})
  const {plan, commandSidecar} = await loadedTemplate({...call, flags})
  const apps = [await commandSidecar('command')]
  return {...own, ...isolatedPlan({...plan, apps}, movedIn(run)).apps[0]?.env}
}
