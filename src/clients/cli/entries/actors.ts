import {outputFlag, whichRun} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const WHICH = whichRun('Path to the run template of the run', 'f')
const OUTPUT = outputFlag(['text', 'json'])

export const ACTORS_COMMAND: CommandEntry = {
  name: 'actors',
  aliases: ['actor'],
  summary: 'Show the actors of a run. For one actor: its queue, reminders and state',
  usage: '[type[/id]] [flags]',
  flags: [OUTPUT, ...WHICH],
  examples: ['actors', 'actors Cart', 'actors Cart/17', 'actors -o json'],
  takesInstances: true,
  load: async () => (await import('../commands/actors.ts')).showActors
}

const reminders = async (): Promise<typeof import('../commands/reminders.ts')> => import('../commands/reminders.ts')

const verb = (name: string, summary: string, load: CommandEntry['load']): CommandEntry => ({
  name: `reminders ${name}`,
  summary,
  usage: 'type/id/name [flags]',
  flags: [OUTPUT, ...WHICH],
  examples: [`reminders ${name} Cart/17/expire`],
  takesInstances: true,
  load
})

export const REMINDERS: CommandEntry = {
  name: 'reminders',
  aliases: ['reminder'],
  summary: 'List, run and delete reminders of actors',
  usage: '[command] [flags]',
  flags: [OUTPUT, ...WHICH],
  examples: ['reminders', 'reminders -o json'],
  verbs: [
    {
      name: 'reminders list',
      aliases: ['reminders ls'],
      summary: 'List reminders of all actors, of a type, or of one actor',
      usage: '[type[/id]] [flags]',
      flags: [OUTPUT, ...WHICH],
      examples: ['reminders list', 'reminders list Cart/17 -o json'],
      takesInstances: true,
      load: async () => (await reminders()).remindersList
    },
    verb('get', 'Show a reminder with its data', async () => (await reminders()).getReminder),
    verb(
      'run',
      'Run a reminder now, and show the answer. The schedule does not change',
      async () => (await reminders()).runReminder
    ),
    verb('delete', 'Delete a reminder', async () => (await reminders()).deleteReminder)
  ],
  load: async () => (await import('../commands/no-verb.ts')).noVerb(REMINDERS, 'reminders list')
}
