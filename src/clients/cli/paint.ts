import {Chalk} from 'chalk'
import type {Sign} from './print.ts'
import type {Environment} from '../../model/environment.ts'

/** A fixed level: the caller has checked that colours are wanted. */
const chalk = new Chalk({level: 2})

/**
 * Colours (xterm's numbers of 256) with a contrast of at least 3.6:1 on a black and on a white background. Red and yellow
 * are reserved for warnings and errors.
 */
export const APP_COLOURS = [32, 28, 133, 30, 63, 164] as const

/** Colours a text of an app; the colour depends on the app's place in the template. */
export const painted = (text: string, index: number): string =>
  chalk.ansi256(APP_COLOURS[index % APP_COLOURS.length] ?? APP_COLOURS[0]).bold(text)

/** Colours each line of a warning or an error. */
export const paintedStatus = (status: Sign, lines: string): string =>
  status === 'warning' ? chalk.yellow(lines) : status === 'failure' ? chalk.red(lines) : lines

/** How a state or a status is judged; `plain`: not at all. */
export type Tone = 'bad' | 'busy' | 'good' | 'off' | 'plain'

/** Colours a text by the terminal's theme, whose colours are readable on its background. */
export function toned(tone: Tone, text: string): string {
  switch (tone) {
    case 'bad':
      return chalk.red(text)
    case 'busy':
      return chalk.yellow(text)
    case 'good':
      return chalk.green(text)
    case 'off':
      return dimmed(text)
    case 'plain':
      return text
  }
}

export const dimmed = (text: string): string => chalk.dim(text)

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
