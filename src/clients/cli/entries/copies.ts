import {boolFlag, outputFlag, textFlag} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const RUN_FILE = textFlag('run-file', 'Path to the run template', 'f')
const YES = boolFlag('yes', 'Do not ask')
const ALL = boolFlag('all', 'All copies that run')

/** The copies of a template: worktrees, clones, names. */
export const COPIES: CommandEntry = {
  name: 'copies',
  aliases: ['copy'],
  summary: 'List and stop copies of the stack, such as worktrees',
  usage: '[command] [flags]',
  flags: [outputFlag(['text', 'json']), RUN_FILE],
  examples: ['copies', 'copies -o json'],
  verbs: [
    {
      name: 'copies down',
      summary: 'Stop the run of a copy, or of all',
      usage: '[name ...] [flags]',
      flags: [ALL, RUN_FILE],
      examples: ['copies down pr-214', 'copies down --all'],
      load: async () => (await import('../commands/copies/change.ts')).downCopies
    },
    {
      name: 'copies forget',
      summary: 'Remove the data of a copy: its Redis keys, and workflows of a folder that is gone',
      usage: 'name ... [flags]',
      flags: [RUN_FILE, YES],
      examples: ['copies forget pr-214 --yes'],
      load: async () => (await import('../commands/copies/change.ts')).forgetCopies
    }
  ],
  load: async () => (await import('../commands/copies/list.ts')).listCopies
}

/** Lets a copy answer in the place of the main one. */
export const SHOW: CommandEntry = {
  name: 'show',
  summary: 'Let a copy answer at the names and ports of the main copy',
  usage: 'name [flags]',
  flags: [RUN_FILE],
  examples: ['show pr-214', 'show main'],
  load: async () => (await import('../commands/copies/show.ts')).showCopy
}
