import {homedir} from 'node:os'
import {join} from 'node:path'

/** Where what outlives a run is kept (XDG Base Directory Specification: state). It need not be there. */
export function stateFolder(
  {XDG_STATE_HOME: state = ''}: Readonly<Record<string, string | undefined>>,
  home = homedir()
): string {
  return join(state.startsWith('/') ? state : join(home, '.local/state'), 'pillion')
}
