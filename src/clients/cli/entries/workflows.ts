import {boolFlag, hiddenFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {UsageError} from '../usage-error.ts'
import type {CommandEntry} from './command-entry.ts'

/* The flags of `dapr workflow` (cmd/workflow of Dapr's CLI), and our own. */

/** `-o`, checked in Dapr's words. */
const formats = (...values: readonly string[]): Flag => ({
  ...textFlag('output', `The output format. Valid values are: ${values.join(', ')}`, 'o'),
  shown: `"${values[0] ?? ''}"`,
  values,
  check: output => {
    if (values.includes(output)) return
    throw new UsageError(`invalid value for --output. Supported values are ${values.join(', ')}`)
  }
})

/** Each verb has them. */
const SHARED: readonly Flag[] = [
  textFlag('app-id', 'The app ID owner of the workflow instance', 'a'),
  {...textFlag('namespace', 'The namespace that the output names', 'n'), shown: '"default"'},
  hiddenFlag('kubernetes', 'bool', 'k'),
  ...whichRun('Path to the run template of the run', 'f')
]

/** Flags of Dapr 1.16 that say how its state store is reached; without effect. */
const STORE: readonly Flag[] = [hiddenFlag('connection-string', 'string', 'c'), hiddenFlag('table-name', 'string', 't')]

const INPUT = textFlag('input', 'The input: JSON, or a text', 'x')
const WHY = textFlag('reason', 'The reason, for the history', 'r')

const RUN_FLAGS: readonly Flag[] = [
  ...SHARED,
  INPUT,
  textFlag('instance-id', 'The ID of the new instance; without it one is made', 'i'),
  textFlag('start-time', 'When it starts: a time (RFC 3339), or a duration from now (90s)', 's')
]

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

const HISTORY_FLAGS: readonly Flag[] = [...SHARED, formats('short', 'wide', 'yaml', 'json')]

const TIMELINE_FLAGS: readonly Flag[] = [
  ...SHARED,
  boolFlag('follow', 'Show further steps until the workflow is over'),
  formats('table', 'json')
]

const REASON_FLAGS: readonly Flag[] = [...SHARED, WHY]
const TERMINATE_FLAGS: readonly Flag[] = [
  ...SHARED,
  textFlag('output', 'The output of the workflow: JSON, or a text', 'o')
]
const RAISE_FLAGS: readonly Flag[] = [...SHARED, INPUT]

const RERUN_FLAGS: readonly Flag[] = [
  ...SHARED,
  {
    name: 'event-id',
    short: 'e',
    type: 'int',
    text: 'The step to begin with: its number in the timeline',
    shown: 'the first one'
  },
  textFlag('input', 'Another input of that step: JSON, or a text', 'x'),
  textFlag('new-instance-id', 'The ID of the new workflow; without it one is made')
]
const SKIP_FLAGS: readonly Flag[] = [
  ...SHARED,
  {name: 'timer', type: 'int', text: 'The number of the timer in the timeline', shown: 'the one that fires first'}
]

const REPLAY_FLAGS: readonly Flag[] = [
  ...SHARED,
  boolFlag('step', 'Wait for the Enter key before each turn'),
  formats('text', 'json')
]

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

/** The verbs of workflows: Dapr's, and `timeline`. */
const VERBS: readonly CommandEntry[] = [
  {
    name: 'workflow run',
    summary: 'Start a workflow',
    usage: 'name [flags]',
    flags: RUN_FLAGS,
    examples: [`workflow run order --app-id shop --instance-id o-17 --input '{"item":"pen"}'`],
    load: async () => (await import('../commands/workflow/run.ts')).runWorkflow
  },
  {
    name: 'workflow list',
    aliases: ['workflow ls'],
    summary: 'List the workflows of a run',
    usage: '[flags]',
    flags: LIST_FLAGS,
    examples: ['workflow list', 'workflow list --app-id shop -o wide', 'workflow list -s FAILED -m 2h'],
    load: async () => (await import('../commands/workflow/list.ts')).listWorkflows
  },
  {
    name: 'workflow history',
    summary: 'Show the events of a workflow',
    usage: 'id [flags]',
    flags: HISTORY_FLAGS,
    examples: ['workflow history o-17', 'workflow history o-17 -o json'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/history.ts')).workflowHistory
  },
  {
    name: 'workflow timeline',
    summary: 'Show the steps of a workflow: when each began, how long it took, and what it waits for',
    usage: 'id [flags]',
    flags: TIMELINE_FLAGS,
    examples: ['workflow timeline o-17', 'workflow timeline o-17 --follow'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/timeline.ts')).workflowTimeline
  },
  {
    name: 'workflow suspend',
    summary: 'Suspend a workflow',
    usage: 'id [flags]',
    flags: REASON_FLAGS,
    examples: ['workflow suspend o-17 --reason "out of pens"'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).suspendWorkflow
  },
  {
    name: 'workflow resume',
    summary: 'Resume a suspended workflow',
    usage: 'id [flags]',
    flags: REASON_FLAGS,
    examples: ['workflow resume o-17'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).resumeWorkflow
  },
  {
    name: 'workflow terminate',
    summary: 'Terminate a workflow and those that it has started',
    usage: 'id [flags]',
    flags: TERMINATE_FLAGS,
    examples: ['workflow terminate o-17'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).terminateWorkflow
  },
  {
    name: 'workflow raise-event',
    summary: 'Raise an event that a workflow waits for',
    usage: 'id/event [flags]',
    flags: RAISE_FLAGS,
    examples: [`workflow raise-event o-17/approved --input '{"by":"Ada"}'`],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).raiseEvent
  },
  {
    name: 'workflow rerun',
    summary: 'Run a workflow that is over once more from one of its steps, as a new one',
    usage: 'id [flags]',
    flags: RERUN_FLAGS,
    examples: ['workflow rerun o-17', `workflow rerun o-17 --event-id 3 --input '{"price":5}'`],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/rerun.ts')).rerunWorkflow
  },
  {
    name: 'workflow replay',
    summary: 'Run the code of a workflow through its history once more, and show where it does something else',
    usage: 'id [flags]',
    flags: REPLAY_FLAGS,
    examples: ['workflow replay o-17', 'workflow replay o-17 --step'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/replay.ts')).replayWorkflow
  },
  {
    name: 'workflow skip',
    summary: 'Let the next timer of a workflow fire now',
    usage: 'id [flags]',
    flags: SKIP_FLAGS,
    examples: ['workflow skip o-17', 'workflow skip o-17 --timer 4'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).skipTimer
  },
  {
    name: 'workflow purge',
    summary: 'Remove workflows that are over, with their histories',
    usage: '[id ...] [flags]',
    flags: PURGE_FLAGS,
    examples: ['workflow purge o-17', 'workflow purge --all', 'workflow purge --all-older-than 24h'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/purge.ts')).purgeWorkflows
  }
]

export const SKIP: CommandEntry = {
  name: 'skip',
  summary: 'Move the clock of all that waits for a time: timers of workflows fire as if it had passed',
  usage: 'duration [flags]',
  flags: [outputFlag(['text', 'json']), ...whichRun('Path to the run template of the run', 'f')],
  examples: ['skip 90m', 'skip 7d'],
  load: async () => (await import('../commands/skip.ts')).skip
}

export const WORKFLOW: CommandEntry = {
  name: 'workflow',
  aliases: ['wf'],
  summary: 'Start, list, inspect and change the workflows of a run',
  usage: '[command] [flags]',
  flags: LIST_FLAGS,
  examples: ['workflow', 'workflow -s FAILED'],
  verbs: VERBS,
  load: async () => (await import('../commands/no-verb.ts')).noVerb(WORKFLOW, 'workflow list')
}
