import {boolFlag, hiddenFlag, intFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {UsageError} from '../command-handler.ts'
import type {CommandEntry} from './command-entry.ts'

/* The flags of `dapr workflow` (cmd/workflow of Dapr's CLI), and our own. */

/** Returns the flag `-o`, which refuses other values in the words of Dapr's CLI. */
const formats = (...values: readonly string[]): Flag =>
  textFlag('output', `The output format. Valid values are: ${values.join(', ')}`, {
    short: 'o',
    shown: `"${values[0] ?? ''}"`,
    values,
    check: output => {
      if (values.includes(output)) return
      throw new UsageError(`invalid value for --output. Supported values are ${values.join(', ')}`)
    }
  })

const SHARED: readonly Flag[] = [
  textFlag('app-id', 'The app ID owner of the workflow instance', 'a'),
  textFlag('namespace', 'The namespace that the output names', {short: 'n', shown: '"default"'}),
  hiddenFlag('kubernetes', 'bool', 'k'),
  ...whichRun('Path to the run template of the run', 'f')
]

/** Flags of Dapr 1.16 that say how its state store is reached; without effect. */
const STORE: readonly Flag[] = [hiddenFlag('connection-string', 'string', 'c'), hiddenFlag('table-name', 'string', 't')]

const INPUT = textFlag('input', 'The input: JSON, or a text', 'x')
const WHY = textFlag('reason', 'The reason, for the history', 'r')

const LIST_FLAGS: readonly Flag[] = [
  ...SHARED,
  ...STORE,
  textFlag(
    'filter-max-age',
    'Only workflows that were created within this time (2h45m), or since then (2023-01-02T15:04:05)',
    'm'
  ),
  textFlag('filter-name', 'Only workflows with this name', 'w'),
  textFlag('filter-status', 'Only workflows with this status, in capitals: RUNNING', 's'),
  formats('short', 'wide', 'yaml', 'json', 'ids')
]

const ofOne = (
  verb: string,
  summary: string,
  flags: readonly Flag[],
  {load, examples, usage = 'id [flags]'}: Pick<CommandEntry, 'load' | 'examples'> & {readonly usage?: string}
): CommandEntry => ({
  name: `workflow ${verb}`,
  summary,
  usage,
  flags: [...SHARED, ...flags],
  examples,
  takesInstances: true,
  load
})

const PURGE_FLAGS: readonly Flag[] = [
  ...SHARED,
  ...STORE,
  boolFlag('all', 'Purge all workflows that are over; with --force also those that are not'),
  textFlag('all-filter-status', 'With --all-older-than: only workflows with this status'),
  textFlag(
    'all-older-than',
    'Purge workflows that were created before this time (2023-01-02T15:04:05Z), or longer ago (24h)'
  ),
  boolFlag('force', 'Also purge workflows that are not over, at once'),
  hiddenFlag('scheduler-namespace', 'string')
]

/** The subcommands of `workflow`: Dapr's, and `timeline`, `replay` and `skip` of Pillion. */
const VERBS: readonly CommandEntry[] = [
  {
    name: 'workflow run',
    summary: 'Start a workflow',
    usage: 'name [flags]',
    flags: [
      ...SHARED,
      INPUT,
      textFlag('instance-id', 'The ID of the new instance; without it one is made', 'i'),
      textFlag('start-time', 'When it starts: a time (RFC 3339), or a duration from now (90s)', 's')
    ],
    examples: [`workflow run order -a shop -i o-17 --input '{"item":"pen"}'`],
    load: async () => (await import('../commands/workflow/change.ts')).runWorkflow
  },
  {
    name: 'workflow list',
    aliases: ['workflow ls'],
    summary: 'List the workflows of a run',
    flags: LIST_FLAGS,
    examples: ['workflow list', 'workflow list --app-id shop -o wide', 'workflow list -s FAILED -m 2h'],
    load: async () => (await import('../commands/workflow/list.ts')).listWorkflows
  },
  ofOne('history', 'Show the events of a workflow', [formats('short', 'wide', 'yaml', 'json')], {
    examples: ['workflow history o-17', 'workflow history o-17 -o json'],
    load: async () => (await import('../commands/workflow/timeline.ts')).workflowHistory
  }),
  ofOne(
    'timeline',
    'Show the steps of a workflow with their times',
    [boolFlag('follow', 'Show further steps until the workflow is over'), formats('table', 'json')],
    {
      examples: ['workflow timeline o-17', 'workflow timeline o-17 --follow'],
      load: async () => (await import('../commands/workflow/timeline.ts')).workflowTimeline
    }
  ),
  ofOne('suspend', 'Suspend a workflow', [WHY], {
    examples: ['workflow suspend o-17 --reason "out of pens"'],
    load: async () => (await import('../commands/workflow/change.ts')).suspendWorkflow
  }),
  ofOne('resume', 'Resume a suspended workflow', [WHY], {
    examples: ['workflow resume o-17'],
    load: async () => (await import('../commands/workflow/change.ts')).resumeWorkflow
  }),
  ofOne(
    'terminate',
    'Terminate a workflow and its children',
    [textFlag('output', 'The output of the workflow: JSON, or a text', 'o')],
    {
      examples: ['workflow terminate o-17'],
      load: async () => (await import('../commands/workflow/change.ts')).terminateWorkflow
    }
  ),
  ofOne('raise-event', 'Raise an event that a workflow waits for', [INPUT], {
    usage: 'id/event [flags]',
    examples: [`workflow raise-event o-17/approved --input '{"by":"Ada"}'`],
    load: async () => (await import('../commands/workflow/change.ts')).raiseEvent
  }),
  ofOne(
    'rerun',
    'Run a finished workflow again from one of its steps',
    [
      intFlag('event-id', 'The step to begin with: its number in the timeline', {short: 'e', shown: 'the first one'}),
      textFlag('input', 'Another input of that step: JSON, or a text', 'x'),
      textFlag('new-instance-id', 'The ID of the new workflow; without it one is made')
    ],
    {
      examples: ['workflow rerun o-17', `workflow rerun o-17 --event-id 3 --input '{"price":5}'`],
      load: async () => (await import('../commands/workflow/change.ts')).rerunWorkflow
    }
  ),
  ofOne(
    'replay',
    'Run the code of a workflow against its history, and show where they differ',
    [boolFlag('step', 'Wait for the Enter key before each turn'), formats('text', 'json')],
    {
      examples: ['workflow replay o-17', 'workflow replay o-17 --step'],
      load: async () => (await import('../commands/workflow/replay.ts')).replayWorkflow
    }
  ),
  ofOne(
    'skip',
    'Fire the next timer of a workflow now',
    [intFlag('timer', 'The number of the timer in the timeline', {shown: 'the one that fires first'})],
    {
      examples: ['workflow skip o-17', 'workflow skip o-17 --timer 4'],
      load: async () => (await import('../commands/workflow/change.ts')).skipTimer
    }
  ),
  {
    name: 'workflow purge',
    summary: 'Delete finished workflows and their histories',
    usage: '[id ...] [flags]',
    flags: PURGE_FLAGS,
    examples: ['workflow purge o-17', 'workflow purge --all', 'workflow purge --all-older-than 24h'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/list.ts')).purgeWorkflows
  }
]

export const SKIP: CommandEntry = {
  name: 'skip',
  summary: 'Advance the clock of timers, jobs and reminders',
  usage: 'duration [flags]',
  flags: [outputFlag(['text', 'json']), ...whichRun('Path to the run template of the run', 'f')],
  examples: ['skip 90m', 'skip 7d'],
  load: async () => (await import('../commands/skip.ts')).skip
}

export const WORKFLOW: CommandEntry = {
  name: 'workflow',
  aliases: ['wf'],
  summary: 'Start, list, inspect and change workflows',
  usage: '[command] [flags]',
  flags: LIST_FLAGS,
  examples: ['workflow', 'workflow -s FAILED'],
  verbs: VERBS,
  load: async () => (await import('../commands/no-verb.ts')).noVerb(WORKFLOW, 'workflow list')
}
