import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'

/** Where what outlives a run is kept (XDG Base Directory Specification: state). It need not be there. */
export function stateFolder({XDG_STATE_HOME: state = ''}: Environment, home = homedir()): string {
  return join(state.startsWith('/') ? state : join(home, '.local/state'), 'pillion')
}
