import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'

/** Returns the folder for data that outlive a run (XDG Base Directory Specification: state), which may not exist. */
export function stateFolder({XDG_STATE_HOME: state = ''}: Environment, home = homedir()): string {
  return join(state.startsWith('/') ? state : join(home, '.local/state'), 'pillion')
}

/** Path of the certificate of the user's authority, by which browsers trust names of apps. */
export const certificatePath = (state: string): string => join(state, 'ca', 'ca.crt')

/** Returns the folder for data that may be removed at any time (the same: cache). Relative paths do not count. */
export function cacheFolder({XDG_CACHE_HOME: cache = '', HOME: home}: Environment): string {
  return join(cache.startsWith('/') ? cache : join(home || homedir(), '.cache'), 'pillion')
}
