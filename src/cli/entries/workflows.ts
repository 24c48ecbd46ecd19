import {
  WORKFLOW_HISTORY_FLAGS,
  WORKFLOW_LIST_FLAGS,
  WORKFLOW_PURGE_FLAGS,
  WORKFLOW_RAISE_FLAGS,
  WORKFLOW_REASON_FLAGS,
  WORKFLOW_RUN_FLAGS,
  WORKFLOW_TERMINATE_FLAGS,
  WORKFLOW_TIMELINE_FLAGS
} from '../workflow-flags.ts'
import type {CommandEntry} from './command-entry.ts'

/** What can be done with workflows; Dapr's words, and `timeline`. */
const VERBS: readonly CommandEntry[] = [
  {
    name: 'workflow run',
    summary: 'Start a workflow',
    usage: 'name [flags]',
    flags: WORKFLOW_RUN_FLAGS,
    examples: [`workflow run order --app-id shop --instance-id o-17 --input '{"item":"pen"}'`],
    load: async () => (await import('../commands/workflow/run.ts')).runWorkflow
  },
  {
    name: 'workflow list',
    aliases: ['workflow ls'],
    summary: 'List the workflows of a run',
    usage: '[flags]',
    flags: WORKFLOW_LIST_FLAGS,
    examples: ['workflow list', 'workflow list --app-id shop -o wide', 'workflow list -s FAILED -m 2h'],
    load: async () => (await import('../commands/workflow/list.ts')).listWorkflows
  },
  {
    name: 'workflow history',
    summary: 'Show the events of a workflow',
    usage: 'id [flags]',
    flags: WORKFLOW_HISTORY_FLAGS,
    examples: ['workflow history o-17', 'workflow history o-17 -o json'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/history.ts')).workflowHistory
  },
  {
    name: 'workflow timeline',
    summary: 'Show the steps of a workflow: when each began, how long it took, and what it waits for',
    usage: 'id [flags]',
    flags: WORKFLOW_TIMELINE_FLAGS,
    examples: ['workflow timeline o-17', 'workflow timeline o-17 --follow'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/timeline.ts')).workflowTimeline
  },
  {
    name: 'workflow suspend',
    summary: 'Suspend a workflow',
    usage: 'id [flags]',
    flags: WORKFLOW_REASON_FLAGS,
    examples: ['workflow suspend o-17 --reason "out of pens"'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).suspendWorkflow
  },
  {
    name: 'workflow resume',
    summary: 'Resume a suspended workflow',
    usage: 'id [flags]',
    flags: WORKFLOW_REASON_FLAGS,
    examples: ['workflow resume o-17'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).resumeWorkflow
  },
  {
    name: 'workflow terminate',
    summary: 'Terminate a workflow and those that it has started',
    usage: 'id [flags]',
    flags: WORKFLOW_TERMINATE_FLAGS,
    examples: ['workflow terminate o-17'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).terminateWorkflow
  },
  {
    name: 'workflow raise-event',
    summary: 'Raise an event that a workflow waits for',
    usage: 'id/event [flags]',
    flags: WORKFLOW_RAISE_FLAGS,
    examples: [`workflow raise-event o-17/approved --input '{"by":"Ada"}'`],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/tell.ts')).raiseEvent
  },
  {
    name: 'workflow purge',
    summary: 'Remove workflows that are over, with their histories',
    usage: '[id ...] [flags]',
    flags: WORKFLOW_PURGE_FLAGS,
    examples: ['workflow purge o-17', 'workflow purge --all', 'workflow purge --all-older-than 24h'],
    takesInstances: true,
    load: async () => (await import('../commands/workflow/purge.ts')).purgeWorkflows
  }
]

export const WORKFLOW: CommandEntry = {
  name: 'workflow',
  aliases: ['wf'],
  summary: 'Start, list, inspect and change the workflows of a run',
  usage: '[command]',
  flags: [],
  examples: [],
  verbs: VERBS,
  load: async () => (await import('../commands/workflow/none.ts')).noVerb
}
