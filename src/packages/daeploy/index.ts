/** The Daeploy services of a run, and the API of the manager that their SDK and command line call. */
export {bypassHint, importHint} from './services/hints.ts'
export {sweepWorkspaces} from './services/left-workspaces.ts'
export {HOOK_FILE, HOOK_FIXED_PORT, HOOK_PORT, HOOK_TEXT} from './python-hook.ts'
export {Services} from './services/services.ts'
