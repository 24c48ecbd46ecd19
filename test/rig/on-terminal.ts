import {spawnSync} from 'node:child_process'
import type {Program} from './program.ts'
import type {Rig, StartOptions} from './rig.ts'

/** Why there is no pseudo-terminal here; false: `script` of util-linux gives one. */
export const noTerminal = spawnSync('script', ['--version']).error !== undefined && 'no `script` here'

/** Starts pillion on a terminal of its own; stdout and stderr come together, newlines as `\r\n`. */
export function onTerminal(rig: Rig, args: readonly string[], options?: StartOptions): Program {
  const command = [...rig.program, ...args].map(word => `'${word}'`).join(' ')
  return rig.start(['script', '-qec', command, '/dev/null'], options)
}

/** What a terminal would obey, in the bytes of a text as Latin-1, but for what our own prefix and the line's end bring. */
// oxlint-disable-next-line no-control-regex -- what must not be there
export const OBEYED = /\x1b(?!\[[\d;:]*m)|[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\xc2[\x80-\x9f]/
