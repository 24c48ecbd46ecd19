import {Chalk} from 'chalk'
import type {Status} from './print.ts'

/** Set level: that colours are wanted has been found out already. */
const chalk = new Chalk({level: 2})

/**
 * Of the 256 colours of a terminal (xterm's numbers), those that contrast with a black ground and with a white one alike,
 * 3.6:1 or better. None is red or yellow: these are for what we warn of.
 */
export const APP_COLOURS = [32, 28, 133, 30, 63, 164] as const
export const STATUS_COLOURS = {warning: 130, failure: 160} as const

/** A text of an app, each app in a colour of its own by its place in the template. */
export const painted = (text: string, index: number): string =>
  chalk.ansi256(APP_COLOURS[index % APP_COLOURS.length] ?? APP_COLOURS[0]).bold(text)

/** A line of ours: what warns or fails is coloured, its first line that is. */
export function paintedStatus(status: Status, line: string): string {
  if (status !== 'warning' && status !== 'failure') return line
  const end = line.indexOf('\n')
  return chalk.ansi256(STATUS_COLOURS[status])(line.slice(0, end)) + line.slice(end)
}

export const dimmed = (text: string): string => chalk.dim(text)
