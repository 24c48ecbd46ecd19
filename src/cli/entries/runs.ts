import {
  CALLS_FLAGS,
  DASHBOARD_FLAGS,
  DEBUG_FLAGS,
  ENV_FLAGS,
  FAULT_FLAGS,
  GRAPH_FLAGS,
  LOGS_FLAGS,
  REPLAY_FLAGS,
  RESTART_FLAGS,
  START_FLAGS,
  WHY_FLAGS
} from '../verb-flags.ts'
import {EVENTS_FLAGS, MCP_FLAGS, WAIT_FLAGS} from '../wait-flags.ts'
import type {CommandEntry} from './command-entry.ts'

/** Commands for the apps of a run, and what happened between them. */
export const RUN_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'logs',
    summary: 'Show the logs of all or some apps of a run; if nothing is running, of the last run',
    usage: '[id ...] [flags]',
    flags: LOGS_FLAGS,
    examples: [
      'logs',
      'logs shop stock -f',
      'logs -t --grep "[Ee]rror" --tail 20',
      'logs --app-id shop --since 10m --run-file dapr.yaml'
    ],
    takesIds: true,
    load: async () => (await import('../commands/logs.ts')).logs,
    loadKubernetes: async () => (await import('../commands/kubernetes/logs.ts')).logsInCluster
  },
  {
    name: 'start',
    summary: 'Start apps that were stopped, have exited or are being debugged, after their dependencies',
    usage: 'id ... [flags]',
    flags: START_FLAGS,
    examples: ['start shop', 'start shop stock'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).start
  },
  {
    name: 'restart',
    summary: 'Restart apps, whether they are running or have exited; their sidecars keep running',
    usage: 'id ... [flags]',
    flags: RESTART_FLAGS,
    examples: ['restart shop', 'restart --app-id shop'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).restart
  },
  {
    name: 'debug',
    summary: 'Stop the process of an app and print how to start it in a debugger; its sidecar keeps running',
    usage: 'id [flags]',
    flags: DEBUG_FLAGS,
    examples: ['debug shop', 'debug shop --format vscode'],
    takesIds: true,
    load: async () => (await import('../commands/debug.ts')).debug
  },
  {
    name: 'calls',
    summary: 'Show the latest calls between the apps of a run, or one call with request and response',
    usage: '[filter ...] [flags]',
    flags: CALLS_FLAGS,
    examples: [
      'calls',
      'calls to:payments is:failed -f',
      'calls 48190',
      'calls 48190 -o curl',
      'calls -o har > calls.har'
    ],
    load: async () => (await import('../commands/calls.ts')).calls
  },
  {
    name: 'why',
    summary: 'Show why an app is not running: what it waits for, or how it exited and which calls were in flight',
    usage: '[id | number] [flags]',
    flags: WHY_FLAGS,
    examples: ['why', 'why payments', 'why 3'],
    takesIds: true,
    load: async () => (await import('../commands/why.ts')).why
  },
  {
    name: 'mcp',
    summary: 'Serve the run in this folder to a coding agent, over the Model Context Protocol on stdin and stdout',
    usage: '[flags]',
    flags: MCP_FLAGS,
    examples: ['mcp', 'mcp --read-only'],
    load: async () => (await import('../commands/mcp.ts')).mcp
  },
  {
    name: 'graph',
    summary: 'Show which apps of a run have called which, and where that differs from dependsOn',
    usage: '[flags]',
    flags: GRAPH_FLAGS,
    examples: ['graph', 'graph -o mermaid', 'graph -o dot | dot -Tsvg > calls.svg'],
    load: async () => (await import('../commands/graph.ts')).graph
  },
  {
    name: 'fault',
    summary: 'Make calls between apps fail on purpose, or list the active faults',
    usage: '[FROM TO] [flags]',
    flags: FAULT_FLAGS,
    examples: [
      'fault shop stock --delay 300ms --jitter 100ms',
      "fault any stock --status 503 --rate 0.2 --method POST --path '/orders/*'",
      'fault shop stock --kill --times 1',
      'fault',
      'fault --disable 1',
      'fault --off all'
    ],
    takesIds: true,
    load: async () => (await import('../commands/fault.ts')).fault
  },
  {
    name: 'dashboard',
    summary: 'Open a page in the browser with the apps of a run, their logs, and the calls between them',
    usage: '[flags]',
    flags: DASHBOARD_FLAGS,
    examples: ['dashboard', 'dashboard --no-open', 'dashboard --read-only -f dapr.yaml'],
    load: async () => (await import('../commands/dashboard.ts')).dashboard
  },
  {
    name: 'replay',
    summary: 'Send recorded calls again and compare the answers; pinned calls are sent after each save',
    usage: '[number ...] [flags]',
    flags: REPLAY_FLAGS,
    examples: [
      'replay 48190',
      'replay --last-failed',
      'replay --pin 48190',
      'replay --window 30s to:payments --unsafe',
      'replay'
    ],
    load: async () => (await import('../commands/replay.ts')).replay
  },
  {
    name: 'wait',
    summary: 'Wait until a run is ready, is idle, or has written a line; for scripts and tests',
    usage: '--for CONDITION ... [flags]',
    flags: WAIT_FLAGS,
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
    summary: 'Show what happens in a run: state changes, reloads, exits',
    usage: '[flags]',
    flags: EVENTS_FLAGS,
    examples: ['events -f', 'events -f -o ndjson --types app,death', 'events --after 1789012345678'],
    load: async () => (await import('../commands/events.ts')).events
  },
  {
    name: 'env',
    summary: 'Print the environment variables that a run sets for an app',
    usage: 'id [flags]',
    flags: ENV_FLAGS,
    examples: ['env shop', 'env shop --format dotenv > .env.shop', 'env shop --all'],
    takesIds: true,
    load: async () => (await import('../commands/debug.ts')).env
  }
]
