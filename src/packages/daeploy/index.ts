/** The Daeploy services of a run, and the API of the manager that their SDK and command line call. */
import {lstatSync} from 'node:fs'
import {orElse} from '../../model/or-else.ts'
import {cacheFolder} from '../../platform/state-folder.ts'
import type {HintedService} from './services/bypass-hint.ts'
import type {LeftWorkspaces} from './services/left-workspaces.ts'
import type {Reporter} from '../../model/reporter.ts'

export {importHint} from './services/bypass-hint.ts'
export {HOOK_FILE, HOOK_FIXED_PORT, HOOK_PORT} from './environment.ts'
export {Services} from './services/services.ts'

/** The Python hook, which a run without published ports and services does not load. */
export const loadHookText = async (): Promise<string> => (await import('./python-hook.ts')).HOOK_TEXT

/** Removes workspaces of killed runs (`left-workspaces.ts`). Loads no code if the user has no cache folder. */
export async function sweepWorkspaces(left: LeftWorkspaces): Promise<void> {
  // an error counts as true: the code that reads the folder reports it
  const mayBeThere = orElse(() => lstatSync(cacheFolder(left.env), {throwIfNoEntry: false}) !== undefined, true)
  if (mayBeThere) await (await import('./services/left-workspaces.ts')).removeLeftWorkspaces(left)
}

/** Reports a service that is not ready because it listens on its hard-coded port (`bypass-hint.ts`). */
export async function bypassHint(service: HintedService, reporter: Reporter): Promise<void> {
  if (service.plan.fixedPort > 0) await (await import('./services/bypass-hint.ts')).reportBypass(service, reporter)
}
