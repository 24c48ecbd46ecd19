import {Chalk} from 'chalk'

/** Set level: that there is a terminal has been found out already. */
const chalk = new Chalk({level: 1})
/** Told apart on dark and light ground; the first is that of Dapr's own prefix. */
const COLOURS = [
  chalk.blueBright,
  chalk.greenBright,
  chalk.magentaBright,
  chalk.cyanBright,
  chalk.yellowBright,
  chalk.redBright
]

/** The prefix of an app's lines on a terminal, each app in a colour of its own. */
export const paintedPrefix = (id: string, index: number): string =>
  `${(COLOURS[index % COLOURS.length] ?? chalk.blueBright).bold(`== APP - ${id} ==`)} `
