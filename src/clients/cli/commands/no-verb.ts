import {nearMiss} from '../../../model/near-miss.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {helpOf} from '../help.ts'
import {print} from '../print.ts'
import type {CommandEntry} from '../entries/command-entry.ts'

/** Verbs of other tools that show one object, and the verbs of Pillion that do so. */
const SHOWS = new Set(['describe', 'inspect', 'show'])
const SHOWN_BY = new Set(['history', 'get'])

/**
 * Answers a command with subcommands (`workflow`) whose subcommand is unknown. If the user typed none, runs the `usual` one, such as `workflow list`, or prints the help.
 */
export const noVerb =
  (entry: CommandEntry, usual = ''): CommandHandler =>
  async context => {
    const [word] = context.words
    if (word === undefined) {
      const verb = entry.verbs?.find(({name}) => name === usual)
      if (verb !== undefined) return (await verb.load())(context)
      print(process.stdout, helpOf('pillion', entry))
      return Promise.resolve(0)
    }
    const verbs = (entry.verbs ?? []).map(({name}) => name.replace(`${entry.name} `, ''))
    const near = nearMiss(word, verbs) || (SHOWS.has(word) ? (verbs.find(verb => SHOWN_BY.has(verb)) ?? '') : '')
    throw new UsageError(
      `unknown command "${word}" for "pillion ${entry.name}"${near === '' ? '' : `\n\nDid you mean this?\n\t${near}\n`}`
    )
  }
