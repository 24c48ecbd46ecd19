import {hiddenFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const WHICH = whichRun('Path to the run template of the run', 'f')
const APP = textFlag('app-id', 'The app ID of the job', 'a')
const OUTPUT = outputFlag(['text', 'json'])

const jobs = async (): Promise<typeof import('../commands/jobs.ts')> => import('../commands/jobs.ts')

const verb = (name: string, summary: string, load: CommandEntry['load']): CommandEntry => ({
  name: `jobs ${name}`,
  summary,
  usage: '[app/]name [flags]',
  flags: [APP, OUTPUT, ...WHICH],
  examples: [`jobs ${name} report`, `jobs ${name} shop/report`],
  takesInstances: true,
  load
})

/** The command `jobs`, for scheduled jobs of the apps of a run. */
export const JOB_VERBS: CommandEntry = {
  name: 'jobs',
  aliases: ['job'],
  summary: 'List, run, pause and delete scheduled jobs',
  usage: '[command] [flags]',
  flags: [APP, OUTPUT, ...WHICH],
  examples: ['jobs', 'jobs -o json'],
  verbs: [
    {
      name: 'jobs list',
      aliases: ['jobs ls'],
      summary: 'List the jobs of a run',
      flags: [APP, OUTPUT, ...WHICH],
      examples: ['jobs list', 'jobs list --app-id shop -o json'],
      load: async () => (await jobs()).jobsList
    },
    verb('get', 'Show a job with its data', async () => (await jobs()).getJob),
    verb('run', 'Run a job now. The schedule does not change', async () => (await jobs()).runJob),
    verb(
      'pause',
      'Pause a job. Runs that fall due while it is paused are dropped',
      async () => (await jobs()).pauseJob
    ),
    verb('resume', 'Resume a paused job. It runs at its next time', async () => (await jobs()).resumeJob),
    verb('delete', 'Delete a job', async () => (await jobs()).deleteJob)
  ],
  load: async () => (await import('../commands/no-verb.ts')).noVerb(JOB_VERBS, 'jobs list')
}

/** Flags of `dapr scheduler`; the namespace is only printed. */
const SHARED: readonly Flag[] = [
  textFlag('namespace', 'The namespace that the output names', {short: 'n', shown: '"default"'}),
  hiddenFlag('kubernetes', 'bool', 'k'),
  hiddenFlag('scheduler-namespace', 'string'),
  ...WHICH
]

const FORMAT: Flag = {...outputFlag(['short', 'wide', 'yaml', 'json'], {refusal: 'usage'}), shown: '"short"'}

/** The commands about jobs, reminders and timers, in the words of Dapr's CLI (cmd/scheduler). */
export const SCHEDULER: CommandEntry = {
  name: 'scheduler',
  aliases: ['sched'],
  summary: 'List and delete jobs, reminders and workflow timers',
  usage: '[command]',
  flags: [],
  examples: [],
  verbs: [
    {
      name: 'scheduler list',
      summary: 'List jobs, reminders and workflow timers',
      flags: [
        ...SHARED,
        FORMAT,
        textFlag('filter', 'Only one kind: all, app, actor, workflow or activity', {
          shown: '"all"',
          values: ['all', 'app', 'actor', 'workflow', 'activity']
        })
      ],
      examples: ['scheduler list', 'scheduler list --filter app -o wide'],
      load: async () => (await import('../commands/scheduler/list.ts')).schedulerList
    },
    {
      name: 'scheduler get',
      aliases: ['scheduler g', 'scheduler ge'],
      summary: 'Show jobs, reminders or timers by name',
      usage: 'name ... [flags]',
      flags: [...SHARED, FORMAT],
      examples: ['scheduler get app/shop/report', 'scheduler get actor/Cart/17/expire -o json'],
      load: async () => (await import('../commands/scheduler/list.ts')).schedulerGet
    },
    {
      name: 'scheduler delete',
      aliases: ['scheduler d', 'scheduler del'],
      summary: 'Delete jobs, reminders or timers by name',
      usage: 'name ... [flags]',
      flags: SHARED,
      examples: ['scheduler delete app/shop/report'],
      load: async () => (await import('../commands/scheduler/list.ts')).schedulerDelete
    },
    {
      name: 'scheduler delete-all',
      aliases: ['scheduler da', 'scheduler delall'],
      summary: 'Delete all, or those of an app, actor type, actor or workflow',
      usage: 'all|app[/id]|actor/type[/id]|workflow[/id[/instance]] [flags]',
      flags: SHARED,
      examples: ['scheduler delete-all app/shop', 'scheduler delete-all all'],
      load: async () => (await import('../commands/scheduler/list.ts')).schedulerDeleteAll
    },
    {
      name: 'scheduler export',
      summary: 'Write the jobs of a run to a file',
      flags: [...SHARED, textFlag('output-file', 'The file; it must not exist', 'o')],
      required: ['output-file'],
      examples: ['scheduler export -o jobs.json'],
      load: async () => (await import('../commands/scheduler/files.ts')).exportJobs
    },
    {
      name: 'scheduler import',
      summary: 'Schedule the jobs of an exported file',
      flags: [
        ...SHARED.filter(({name}) => name !== 'run-file'),
        textFlag('run-file', 'Path to the run template of the run'),
        textFlag('input-file', 'The file', 'f')
      ],
      required: ['input-file'],
      examples: ['scheduler import -f jobs.json'],
      load: async () => (await import('../commands/scheduler/files.ts')).importJobs
    }
  ],
  load: async () => (await import('../commands/no-verb.ts')).noVerb(SCHEDULER)
}
