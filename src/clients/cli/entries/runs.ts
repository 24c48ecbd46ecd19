import {boolFlag, hiddenFlag, intFlag, outputFlag, repeatedFlag, textFlag, whichRun} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const RUN_FILE = whichRun('Path to the run template of the run')
const TEMPLATE = textFlag('run-file', 'Path to the run template', 'f')

/** Commands for a whole run: its state, its events, its pages. */
export const RUN_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'mcp',
    summary: 'Serve the run to a coding agent (Model Context Protocol)',
    flags: [boolFlag('read-only', 'Offer only tools that change nothing'), ...RUN_FILE],
    examples: ['mcp', 'mcp --read-only'],
    load: async () => (await import('../commands/mcp.ts')).mcp
  },
  {
    name: 'graph',
    summary: 'Show which apps call which',
    flags: [outputFlag(['table', 'mermaid', 'json']), ...RUN_FILE],
    examples: ['graph', 'graph -o mermaid', 'graph -o mermaid > calls.mmd'],
    load: async () => (await import('../commands/graph.ts')).graph
  },
  {
    name: 'dashboard',
    summary: 'Open the page of the run in the browser',
    flags: [
      boolFlag('no-open', 'Print the address only'),
      intFlag('port', 'The port of the page, on loopback', {short: 'p', shown: 'from 9700, depending on the template'}),
      boolFlag('read-only', 'Open a page that cannot change anything'),
      ...whichRun('Path to the run template of the run', 'f'),
      hiddenFlag('kubernetes', 'bool', 'k')
    ],
    examples: ['dashboard', 'dashboard --no-open', 'dashboard --read-only -f dapr.yaml'],
    load: async () => (await import('../commands/dashboard.ts')).dashboard
  },
  {
    name: 'ui',
    summary: 'Show the apps on the terminal, with keys that act on them',
    flags: whichRun('Path to the run template of the run', 'f'),
    examples: ['ui', 'ui -f dapr.yaml'],
    load: async () => (await import('../commands/ui.ts')).ui
  },
  {
    name: 'runs',
    summary: 'Show the latest runs of a template: calls, failures, crashes, commit',
    flags: [outputFlag(['text', 'json']), ...RUN_FILE],
    examples: ['runs', 'runs -o json'],
    load: async () => (await import('../commands/runs.ts')).runs
  },
  {
    name: 'wait',
    summary: 'Wait until the run is ready, is idle, or has written a line',
    usage: '--for CONDITION ... [flags]',
    flags: [
      boolFlag('any', 'One of the conditions is enough'),
      repeatedFlag(
        'for',
        'A condition: ready[:ID], idle[:500ms], log:[ID:]REGEX, calls:[[FROM:]TO:]N, reloaded:ID, exit:ID, workflow:ID:completed'
      ),
      textFlag(
        'from',
        'Count lines, calls, reloads and exits from now (now) or from an event (its id), not from the start of the run'
      ),
      repeatedFlag('ignore', "Calls that idle ignores: 'GET /poll*'"),
      outputFlag(['text', 'json'], {refusal: 'usage'}),
      ...RUN_FILE,
      textFlag('timeout', 'How long to wait: 90s, 5m', {shown: '60s'})
    ],
    examples: [
      'wait --for ready',
      'wait --for ready:shop --for idle:500ms --timeout 2m',
      "wait --for 'log:stock:listening on \\d+'",
      'wait --any --for ready:shop --for exit:shop'
    ],
    load: async () => (await import('../commands/wait.ts')).wait
  },
  {
    name: 'events',
    summary: 'Show state changes, reloads and exits',
    flags: [
      textFlag('after', 'Only events after the one with this id'),
      textFlag('app', 'Only events of this app'),
      boolFlag('follow', 'Keep showing events until the run ends', 'f'),
      outputFlag(['text', 'ndjson', 'json'], {refusal: 'usage'}),
      ...RUN_FILE,
      textFlag(
        'types',
        'Only these events: app, edges, calls, lines, reload, asleep, woken, death, troubles, replay, fault, workflow, note'
      )
    ],
    examples: ['events -f', 'events -f -o ndjson --types app,death', 'events --after 1789012345678'],
    load: async () => (await import('../commands/events.ts')).events
  }
]

/** The command `copies`, for runs of the same template in worktrees, in clones, or with `--name`. */
export const COPIES: CommandEntry = {
  name: 'copies',
  aliases: ['copy'],
  summary: 'List and stop copies of the stack, such as worktrees',
  usage: '[command] [flags]',
  flags: [outputFlag(['text', 'json']), TEMPLATE],
  examples: ['copies', 'copies -o json'],
  verbs: [
    {
      name: 'copies down',
      summary: 'Stop the run of a copy, or of all',
      usage: '[name ...] [flags]',
      flags: [boolFlag('all', 'All copies that run'), TEMPLATE],
      examples: ['copies down pr-214', 'copies down --all'],
      load: async () => (await import('../commands/copies/change.ts')).downCopies
    },
    {
      name: 'copies forget',
      summary: 'Remove the data of a copy: its Redis keys, and workflows of a folder that is gone',
      usage: 'name ... [flags]',
      flags: [TEMPLATE, boolFlag('yes', 'Do not ask')],
      examples: ['copies forget pr-214 --yes'],
      load: async () => (await import('../commands/copies/change.ts')).forgetCopies
    }
  ],
  load: async () => (await import('../commands/copies/list.ts')).listCopies
}

/** The command `show`, by which another copy answers at the host names and ports of the main copy. */
export const SHOW: CommandEntry = {
  name: 'show',
  summary: 'Let a copy answer at the names and ports of the main copy',
  usage: 'name [flags]',
  flags: [TEMPLATE],
  examples: ['show pr-214', 'show main'],
  load: async () => (await import('../commands/copies/show.ts')).showCopy
}
