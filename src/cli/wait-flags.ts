import {textFlag as text, type Flag} from './flag.ts'

const RUN_FILE = text('run-file', 'Path to the run template of the run')

export const EVENTS_FLAGS: readonly Flag[] = [
  text('after', 'Only events after the one with this id'),
  text('app', 'Only events of this app'),
  {name: 'follow', short: 'f', type: 'bool', text: 'Keep showing events until the run ends'},
  text('output', 'The output format. Valid values are: ndjson, or text (default)', 'o'),
  RUN_FILE,
  text('types', 'Only these events: app,edges,calls,lines,reload,death,replay,fault,note')
]

export const WAIT_FLAGS: readonly Flag[] = [
  {name: 'any', type: 'bool', text: 'One of the conditions is enough'},
  {
    name: 'for',
    type: 'stringArray',
    text: 'A condition: ready[:ID], idle[:500ms], log:[ID:]REGEX, calls:[[FROM:]TO:]N, reloaded:ID, exit:ID'
  },
  text(
    'from',
    'Count lines, calls, reloads and exits from now (now) or from an event (its id), not from the start of the run'
  ),
  {name: 'ignore', type: 'stringArray', text: "Calls that idle ignores: 'GET /poll*'"},
  text('output', 'The output format. Valid values are: json, or text (default)', 'o'),
  RUN_FILE,
  {...text('timeout', 'How long to wait: 90s, 5m'), shown: '60s'}
]

export const MCP_FLAGS: readonly Flag[] = [
  {name: 'read-only', type: 'bool', text: 'Offer only tools that change nothing'},
  RUN_FILE
]
