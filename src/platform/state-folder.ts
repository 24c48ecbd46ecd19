import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'

/** Returns the folder for what outlives a run (XDG Base Directory Specification: state). It need not exist. */
export function stateFolder({XDG_STATE_HOME: state = ''}: Environment, home = homedir()): string {
  return join(state.startsWith('/') ? state : join(home, '.local/state'), 'pillion')
}
