/** The Daeploy services of a run, and the API of the manager that their SDK and command line call. */
import {lstatSync} from 'node:fs'
import {orElse} from '../../model/or-else.ts'
import {workspacesFolder} from './services/manifest.ts'
import type {LeftWorkspaces} from './services/left-workspaces.ts'

export {bypassHint, importHint} from './services/hints.ts'
export {HOOK_FILE, HOOK_FIXED_PORT, HOOK_PORT, HOOK_TEXT} from './python-hook.ts'
export {Services} from './services/services.ts'

/** Removes what killed runs have left of workspaces (`left-workspaces.ts`). Costs one look at a folder if there are none. */
export async function sweepWorkspaces(left: LeftWorkspaces): Promise<void> {
  // the reader of the folder reports why it cannot be read
  const mayBeThere = orElse(() => lstatSync(workspacesFolder(left.env), {throwIfNoEntry: false}) !== undefined, true)
  if (mayBeThere) await (await import('./services/left-workspaces.ts')).removeLeftWorkspaces(left)
}
