import {textFlag as text, type Flag} from './flag.ts'

/* The flags of `dapr workflow` (cmd/workflow of Dapr's CLI), and our own. */

const hidden = (name: string, short: string): Flag => ({name, short, type: 'string', text: '', isHidden: true})

/** Each verb has them. */
const SHARED: readonly Flag[] = [
  text('app-id', 'The app ID owner of the workflow instance', 'a'),
  {...text('namespace', 'The namespace that the output names', 'n'), shown: '"default"'},
  {name: 'kubernetes', type: 'bool', short: 'k', text: 'Target a Kubernetes dapr installation', isHidden: true},
  text('run-file', 'Path to the run template of the run', 'f')
]

/** For Dapr 1.16: how its state store is reached. It has no effect. */
const STORE: readonly Flag[] = [hidden('connection-string', 'c'), hidden('table-name', 't')]

const INPUT = text('input', 'The input: JSON, or a text', 'x')
const REASON = text('reason', 'The reason, for the history', 'r')

export const WORKFLOW_RUN_FLAGS: readonly Flag[] = [
  ...SHARED,
  INPUT,
  text('instance-id', 'The ID of the new instance; without it one is made', 'i'),
  text('start-time', 'When it starts: a time (RFC 3339), or a duration from now (90s)', 's')
]

export const WORKFLOW_LIST_FLAGS: readonly Flag[] = [
  ...SHARED,
  ...STORE,
  text(
    'filter-max-age',
    'Only workflows that were created within this time (2h45m), or since then (2023-01-02T15:04:05)',
    'm'
  ),
  text('filter-name', 'Only workflows with this name', 'w'),
  text('filter-status', 'Only workflows with this status, in capitals: RUNNING', 's'),
  {...text('output', 'The output format. Valid values are: short, wide, yaml, json, ids', 'o'), shown: '"short"'}
]

export const WORKFLOW_HISTORY_FLAGS: readonly Flag[] = [
  ...SHARED,
  {...text('output', 'The output format. Valid values are: short, wide, yaml, json', 'o'), shown: '"short"'}
]

export const WORKFLOW_TIMELINE_FLAGS: readonly Flag[] = [
  ...SHARED,
  {name: 'follow', type: 'bool', text: 'Show further steps until the workflow is over'},
  text('output', 'The output format. Valid values are: json, or table (default)', 'o')
]

export const WORKFLOW_REASON_FLAGS: readonly Flag[] = [...SHARED, REASON]
export const WORKFLOW_TERMINATE_FLAGS: readonly Flag[] = [
  ...SHARED,
  text('output', 'The output of the workflow: JSON, or a text', 'o')
]
export const WORKFLOW_RAISE_FLAGS: readonly Flag[] = [...SHARED, INPUT]

export const WORKFLOW_PURGE_FLAGS: readonly Flag[] = [
  ...SHARED,
  ...STORE,
  {name: 'all', type: 'bool', text: 'Purge all workflows that are over; with --force also those that are not'},
  text('all-filter-status', 'With --all-older-than: only workflows with this status'),
  text(
    'all-older-than',
    'Purge workflows that were created before this time (2023-01-02T15:04:05Z), or longer ago (24h)'
  ),
  {name: 'force', type: 'bool', text: 'Also purge workflows that are not over, at once'},
  {...text('scheduler-namespace', ''), isHidden: true}
]
