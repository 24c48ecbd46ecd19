import {DOCTOR_FLAGS, DOWN_FLAGS, LIST_FLAGS, RUN_FLAGS, STOP_FLAGS, UP_FLAGS} from './flags.ts'
import {VALIDATE_FLAGS, VERSION_FLAGS} from './flags.ts'
import type {CommandHandler} from './command-handler.ts'
import type {CommandWords} from './help.ts'
import {
  CALLS_FLAGS,
  DASHBOARD_FLAGS,
  EXPORT_FLAGS,
  FAULT_FLAGS,
  GRAPH_FLAGS,
  IMPORT_FLAGS,
  INIT_FLAGS,
  INVOKE_FLAGS,
  LOGS_FLAGS,
  PS_FLAGS,
  PUBLISH_FLAGS,
  REDIS_FLAGS,
  REPLAY_FLAGS,
  RESTART_FLAGS,
  START_FLAGS,
  UNINSTALL_FLAGS,
  WHY_FLAGS
} from './verb-flags.ts'
import {EVENTS_FLAGS, MCP_FLAGS, WAIT_FLAGS} from './wait-flags.ts'
import {ASSIGN_FLAGS, DEBUG_FLAGS, ENV_FLAGS, LS_FLAGS, NOTIFICATIONS_FLAGS} from './verb-flags.ts'

export interface CommandEntry extends CommandWords {
  /** Flags that must be given. */
  readonly required?: readonly string[]
  readonly load: () => Promise<CommandHandler>
  /** The same with `--kubernetes`. */
  readonly loadKubernetes?: () => Promise<CommandHandler>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'Run the apps of a template, each with its sidecar. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: RUN_FLAGS,
    examples: ['run --run-file dapr.yaml', 'run --run-file /path/to/directory', 'run --run-file -'],
    load: async () => (await import('./commands/run.ts')).run,
    loadKubernetes: async () => (await import('./commands/kubernetes/run.ts')).runInCluster
  },
  {
    name: 'stop',
    summary: 'Stop Dapr instances and their associated apps. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: STOP_FLAGS,
    examples: ['stop --run-file dapr.yaml', 'stop --app-id <ID>', 'stop shop stock'],
    takesIds: true,
    load: async () => (await import('./commands/stop.ts')).stop,
    loadKubernetes: async () => (await import('./commands/kubernetes/stop.ts')).stopInCluster
  },
  {
    name: 'up',
    summary: 'Run the template in this folder, as run -f . does',
    usage: '[flags]',
    flags: UP_FLAGS,
    examples: [
      'up',
      'up --watch',
      'up --except shop',
      'up -f dapr.yaml -f mine.yaml',
      'up --profile debug',
      "up --run 'npm test'"
    ],
    load: async () => (await import('./commands/run.ts')).up
  },
  {
    name: 'down',
    summary: 'Stop the runs of the template in this folder, as stop -f . does',
    usage: '[flags]',
    flags: DOWN_FLAGS,
    examples: ['down'],
    load: async () => (await import('./commands/stop.ts')).down
  },
  {
    name: 'list',
    summary: 'List all Dapr instances. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: LIST_FLAGS,
    examples: ['list', 'list -o json'],
    load: async () => (await import('./commands/list.ts')).list,
    loadKubernetes: async () => (await import('./commands/kubernetes/list.ts')).listInCluster
  },
  {
    name: 'ps',
    summary: 'Show the state, address, process, restarts, memory and CPU of each app',
    usage: '[id ...] [flags]',
    flags: PS_FLAGS,
    examples: ['ps', 'ps shop stock', 'ps -w', 'ps -o json'],
    takesIds: true,
    load: async () => (await import('./commands/ps.ts')).ps
  },
  {
    name: 'import',
    summary: 'Write a template from a Procfile, a compose or process-compose file, or from what a folder contains',
    usage: '[PATH] [flags]',
    flags: IMPORT_FLAGS,
    examples: ['import Procfile -o -', 'import --from compose -o imported.yaml'],
    load: async () => (await import('./commands/import.ts')).importTemplate
  },
  {
    name: 'validate',
    summary: 'Check a template without running it, and report every mistake',
    usage: '[flags]',
    flags: VALIDATE_FLAGS,
    examples: ['validate', 'validate -f dapr.yaml', 'validate -o json'],
    load: async () => (await import('./commands/validate.ts')).validate
  },
  {
    name: 'export',
    summary: 'Write a template as objects of Kubernetes with Dapr, or as a compose file with sidecars',
    usage: 'kubernetes|compose [flags]',
    flags: EXPORT_FLAGS,
    examples: [
      'export kubernetes -o k8s',
      'export kubernetes -n shop | kubectl apply -f -',
      'export compose -o deploy/compose.yaml'
    ],
    load: async () => (await import('./commands/export.ts')).exportTemplate
  },
  {
    name: 'doctor',
    summary: 'Check this machine and template for problems and suggest fixes',
    usage: '[flags]',
    flags: DOCTOR_FLAGS,
    examples: ['doctor', 'doctor -f dapr.yaml'],
    load: async () => (await import('./commands/doctor.ts')).doctor
  },
  {
    name: 'schema',
    summary: 'Print the JSON schema of a run template, for editors',
    usage: '[flags]',
    flags: [],
    examples: ['schema > template.json'],
    load: async () => (await import('./commands/schema.ts')).schema
  },
  {
    name: 'version',
    summary: 'Print the version of Pillion and the version of the Dapr runtime it is compatible with',
    usage: '[flags]',
    flags: VERSION_FLAGS,
    examples: ['version -o json'],
    load: async () => (await import('./commands/version.ts')).version
  },
  {
    name: 'logs',
    summary: 'Show the logs of all or some apps of a run; if nothing runs, of the last run',
    usage: '[id ...] [flags]',
    flags: LOGS_FLAGS,
    examples: [
      'logs',
      'logs shop stock -f',
      'logs -t --grep "[Ee]rror" --tail 20',
      'logs --app-id shop --since 10m --run-file dapr.yaml'
    ],
    takesIds: true,
    load: async () => (await import('./commands/logs.ts')).logs,
    loadKubernetes: async () => (await import('./commands/kubernetes/logs.ts')).logsInCluster
  },
  {
    name: 'start',
    summary: 'Start apps that were stopped, have exited, or are being debugged; first the apps that they depend on',
    usage: 'id ... [flags]',
    flags: START_FLAGS,
    examples: ['start shop', 'start shop stock'],
    takesIds: true,
    load: async () => (await import('./commands/start.ts')).start
  },
  {
    name: 'restart',
    summary: 'Restart apps, whether they are running or have exited; their sidecars keep running',
    usage: 'id ... [flags]',
    flags: RESTART_FLAGS,
    examples: ['restart shop', 'restart --app-id shop'],
    takesIds: true,
    load: async () => (await import('./commands/start.ts')).restart
  },
  {
    name: 'debug',
    summary: 'Stop the process of an app and print how to start it in a debugger; its sidecar keeps running',
    usage: 'id [flags]',
    flags: DEBUG_FLAGS,
    examples: ['debug shop', 'debug shop --format vscode'],
    takesIds: true,
    load: async () => (await import('./commands/debug.ts')).debug
  },
  {
    name: 'calls',
    summary: 'Show the latest calls between the apps of a run, or one call with what was sent',
    usage: '[filter ...] [flags]',
    flags: CALLS_FLAGS,
    examples: [
      'calls',
      'calls to:payments is:failed -f',
      'calls 48190',
      'calls 48190 -o curl',
      'calls -o har > calls.har'
    ],
    load: async () => (await import('./commands/calls.ts')).calls
  },
  {
    name: 'why',
    summary: 'Show why an app does not run: what it waits for, or how it ended and which calls were inside',
    usage: 'id | number [flags]',
    flags: WHY_FLAGS,
    examples: ['why payments', 'why 3'],
    takesIds: true,
    load: async () => (await import('./commands/why.ts')).why
  },
  {
    name: 'mcp',
    summary:
      'Offer the run of this folder to a coding agent: tools of the Model Context Protocol over stdin and stdout',
    usage: '[flags]',
    flags: MCP_FLAGS,
    examples: ['mcp', 'mcp --read-only'],
    load: async () => (await import('./commands/mcp.ts')).mcp
  },
  {
    name: 'graph',
    summary: 'Show which apps of a run have called which, and where that differs from dependsOn',
    usage: '[flags]',
    flags: GRAPH_FLAGS,
    examples: ['graph', 'graph -o mermaid', 'graph -o dot | dot -Tsvg > calls.svg'],
    load: async () => (await import('./commands/graph.ts')).graph
  },
  {
    name: 'fault',
    summary: 'Make calls between apps fail on purpose, or list what is on',
    usage: '[FROM TO] [flags]',
    flags: FAULT_FLAGS,
    examples: [
      'fault shop stock --delay 300ms --jitter 100ms',
      "fault any stock --status 503 --rate 0.2 --method POST --path '/orders/*'",
      'fault shop stock --kill --times 1',
      'fault',
      'fault --off all'
    ],
    takesIds: true,
    load: async () => (await import('./commands/fault.ts')).fault
  },
  {
    name: 'dashboard',
    summary: 'Open a page in the browser that shows a run: its apps, their logs, the calls between them',
    usage: '[flags]',
    flags: DASHBOARD_FLAGS,
    examples: ['dashboard', 'dashboard --no-open', 'dashboard --read-only -f dapr.yaml'],
    load: async () => (await import('./commands/dashboard.ts')).dashboard
  },
  {
    name: 'replay',
    summary: 'Send recorded calls again and compare the answers; pinned ones after each save',
    usage: '[number ...] [flags]',
    flags: REPLAY_FLAGS,
    examples: [
      'replay 48190',
      'replay --last-failed',
      'replay --pin 48190',
      'replay --window 30s to:payments --unsafe',
      'replay'
    ],
    load: async () => (await import('./commands/replay.ts')).replay
  },
  {
    name: 'wait',
    summary: 'Wait until a run is ready, is idle, has written a line: for scripts and tests',
    usage: '--for CONDITION ... [flags]',
    flags: WAIT_FLAGS,
    examples: [
      'wait --for ready',
      'wait --for ready:shop --for idle:500ms --timeout 2m',
      "wait --for 'log:stock:listening on \\d+'",
      'wait --any --for ready:shop --for exit:shop'
    ],
    load: async () => (await import('./commands/wait.ts')).wait
  },
  {
    name: 'events',
    summary: 'Show what happens in a run: changes of apps, reloads, ends of processes',
    usage: '[flags]',
    flags: EVENTS_FLAGS,
    examples: ['events -f', 'events -f -o ndjson --types app,death', 'events --after 1789012345678'],
    load: async () => (await import('./commands/events.ts')).events
  },
  {
    name: 'env',
    summary: 'Print the environment variables that a run sets for an app',
    usage: 'id [flags]',
    flags: ENV_FLAGS,
    examples: ['env shop', 'env shop --format dotenv > .env.shop', 'env shop --all'],
    takesIds: true,
    load: async () => (await import('./commands/debug.ts')).env
  },
  {
    name: 'ls',
    summary: 'List the Daeploy services of a run: main versions and shadows',
    usage: '[name [version]] [flags]',
    flags: LS_FLAGS,
    examples: ['ls', 'ls hello 1.0.0'],
    load: async () => (await import('./commands/ls.ts')).ls
  },
  {
    name: 'assign',
    summary: 'Make a version of a Daeploy service the main version',
    usage: 'name version [flags]',
    flags: ASSIGN_FLAGS,
    examples: ['assign hello 2.0.0'],
    load: async () => (await import('./commands/assign.ts')).assign
  },
  {
    name: 'notifications',
    summary: 'List the notifications of the Daeploy services of a run',
    usage: '[flags]',
    flags: NOTIFICATIONS_FLAGS,
    examples: ['notifications', 'notifications -o json'],
    load: async () => (await import('./commands/notifications.ts')).notifications
  },
  {
    name: 'redis',
    summary: 'Run the built-in Redis alone, at port 6379 or another one, until Ctrl-C',
    usage: '[port] [flags]',
    flags: REDIS_FLAGS,
    examples: ['redis', 'redis 6380', 'redis --off'],
    load: async () => (await import('./commands/redis.ts')).redis
  },
  {
    name: 'invoke',
    summary: 'Invoke a method on a given Dapr application. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: INVOKE_FLAGS,
    required: ['app-id', 'method'],
    examples: [
      `invoke --app-id target --method sample --data '{"key":"value"}'`,
      'invoke --app-id target --method sample --verb GET'
    ],
    load: async () => (await import('./commands/invoke.ts')).invoke
  },
  {
    name: 'publish',
    summary: 'Publish a pub-sub event. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: PUBLISH_FLAGS,
    required: ['publish-app-id', 'pubsub', 'topic'],
    examples: [`publish --publish-app-id myapp --pubsub pubsub --topic sample --data '{"key":"value"}'`],
    load: async () => (await import('./commands/publish.ts')).publish
  },
  {
    name: 'init',
    summary: 'Does nothing: there is nothing to install. Exists for scripts that call it',
    usage: '[flags]',
    flags: INIT_FLAGS,
    examples: [],
    load: async () => (await import('./commands/init.ts')).init
  },
  {
    name: 'uninstall',
    summary: 'Does nothing: nothing was installed. Exists for scripts that call it',
    usage: '[flags]',
    flags: UNINSTALL_FLAGS,
    examples: [],
    load: async () => (await import('./commands/init.ts')).uninstall
  },
  {
    name: 'completion',
    summary: 'Generates shell completion scripts',
    usage: 'bash|zsh|fish',
    flags: [],
    examples: ['completion bash > ~/.pillion-completion', 'completion fish | source'],
    load: async () => (await import('./commands/completion.ts')).completion(COMMANDS)
  },
  {
    name: 'build-info',
    summary: 'Print build info of the program',
    usage: '[flags]',
    flags: [],
    examples: [],
    load: async () => (await import('./commands/version.ts')).buildInfo
  }
]

/** Commands of Dapr's CLI for Kubernetes, or for services that do not exist here. */
export const NOT_BUILT: ReadonlySet<string> = new Set([
  'annotate',
  'components',
  'configurations',
  'mcpservers',
  'mtls',
  'renew-certificate',
  'sched',
  'scheduler',
  'status',
  'upgrade',
  'wf',
  'workflow'
])
