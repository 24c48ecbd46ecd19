import type {Environment} from '../../model/environment.ts'

/**
 * Whether to write colours: `FORCE_COLOR` decides first (as in Node), then `NO_COLOR` (no-color.org), then `CLICOLOR_FORCE`
 * and `CLICOLOR` (bixense.com/clicolors); else a terminal has them.
 */
export function wantsColours(isTerminal: boolean, env: Environment): boolean {
  const {FORCE_COLOR: force, NO_COLOR: no, CLICOLOR_FORCE: cliForce, CLICOLOR: cli, TERM: term} = env
  if (force !== undefined) return force !== '0' && force !== 'false'
  if (no !== undefined && no !== '') return false
  if (cliForce !== undefined && cliForce !== '' && cliForce !== '0') return true
  return isTerminal && cli !== '0' && term !== 'dumb'
}
