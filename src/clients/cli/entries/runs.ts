import {hiddenFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {UsageError} from '../usage-error.ts'
import {CONTEXT, NAMESPACE, withKubernetes, type CommandEntry} from './command-entry.ts'

const RUN_FILE = whichRun('Path to the run template of the run')
const WHOSE_RUN = whichRun('The run template of the app', 'f')

const whichApp = (what: string): Flag =>
  textFlag('app-id', `The application id to ${what}; ids are also accepted as arguments`, 'a')

/** How an environment is printed. */
const FORMATS = ['shell', 'dotenv', 'vscode']
const FORMAT: Flag = {
  ...textFlag('format', 'Output format. Valid values are: shell, dotenv, or vscode'),
  shown: '"shell"',
  values: FORMATS,
  check: format => {
    if (FORMATS.includes(format)) return
    throw new UsageError(`invalid argument "${format}" for "--format" flag: expected ${FORMATS.join(', ')}`)
  }
}

/** Commands for the apps of a run, and what happened between them. */
export const RUN_COMMANDS: readonly CommandEntry[] = [
  withKubernetes(
    {
      name: 'logs',
      summary: 'Show the logs of all or some apps of a run; if nothing is running, of the last run',
      usage: '[id ...] [flags]',
      // Dapr's CLI shows only logs of Kubernetes
      flags: [
        textFlag('app-id', 'The application id whose logs to show; ids can also be given as arguments', 'a'),
        {name: 'follow', short: 'f', type: 'bool', text: 'Stream new output until the app or the run exits'},
        textFlag('grep', 'Show only lines that match this JavaScript regular expression'),
        textFlag('run-file', 'Path to the run template of the run'),
        {
          name: 'name',
          type: 'strings',
          text: 'The name of the run, as ps -o json shows it; of several the lines of each, with its name'
        },
        textFlag(
          'since',
          'Show only lines since a time (2006-01-02 15:04:05), or from the last minutes or hours (10m, 2h)'
        ),
        {
          name: 'tail',
          type: 'int',
          text: 'Number of lines to show from the end of the logs',
          shown: 'all',
          words: {all: Infinity}
        },
        {name: 'timestamps', short: 't', type: 'bool', text: 'Show the time of each line'},
        textFlag('version', 'The version of a Daeploy service to show, instead of the main version')
      ],
      examples: [
        'logs',
        'logs shop stock -f',
        'logs -t --grep "[Ee]rror" --tail 20',
        'logs --app-id shop --since 10m --run-file dapr.yaml',
        'logs -f --name main --name pr-214'
      ],
      groups: [
        ['Which lines', ['app-id', 'grep', 'name', 'run-file', 'since', 'tail', 'version']],
        ['How they are shown', ['follow', 'timestamps']]
      ],
      takesIds: true,
      load: async () => (await import('../commands/logs.ts')).logs
    },
    {
      text: 'Show the log of the sidecar of an app in a Kubernetes cluster',
      flags: [
        {name: 'app', type: 'bool', text: "With -k: show the app's lines, from all its pods, instead of its sidecar's"},
        CONTEXT,
        NAMESPACE,
        textFlag('pod-name', 'With -k: the pod; default: the first one', 'p')
      ],
      load: async () => (await import('../commands/kubernetes/logs.ts')).logsInCluster
    }
  ),
  {
    name: 'start',
    summary: 'Start apps that were stopped, have exited or are being debugged, after their dependencies',
    usage: 'id ... [flags]',
    flags: [whichApp('start'), ...WHOSE_RUN],
    examples: ['start shop', 'start shop stock'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).start
  },
  {
    name: 'restart',
    summary: 'Restart apps, whether they are running or have exited; their sidecars keep running',
    usage: 'id ... [flags]',
    flags: [whichApp('restart'), ...WHOSE_RUN],
    examples: ['restart shop', 'restart --app-id shop'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).restart
  },
  {
    name: 'debug',
    summary: 'Stop the process of an app and print how to start it in a debugger; its sidecar keeps running',
    usage: 'id [flags]',
    flags: [whichApp('debug'), FORMAT, ...WHOSE_RUN],
    examples: ['debug shop', 'debug shop --format vscode'],
    takesIds: true,
    load: async () => (await import('../commands/debug.ts')).debug
  },
  {
    name: 'attach',
    summary:
      'Show a run on this terminal, or connect it to that of an app (tty: true): debugger prompts, shells, programs that read keys',
    usage: '[id] [flags]',
    flags: [
      whichApp('attach to'),
      {
        ...textFlag(
          'detach-keys',
          'The keys that detach, as docker has them: characters, or ctrl- and a letter, with commas'
        ),
        shown: '"ctrl-p,ctrl-q"'
      },
      ...WHOSE_RUN
    ],
    examples: ['attach', 'attach shop', 'attach shop --detach-keys ctrl-]'],
    takesIds: true,
    load: async () => (await import('../commands/attach.ts')).attachTo
  },
  {
    name: 'calls',
    summary: 'Show the latest calls between the apps of a run, or one call with request and response',
    usage: '[filter ...] [flags]',
    flags: [
      {name: 'follow', short: 'f', type: 'bool', text: 'Keep showing calls as they end'},
      {name: 'number', short: 'n', type: 'int', text: 'Number of latest calls to show', shown: '20'},
      outputFlag(['table', 'ndjson', 'har', 'http', 'curl', 'otlp']),
      ...RUN_FILE
    ],
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
    name: 'trace',
    summary: 'Show a request with all that was done for it, as a tree, also where apps pass no trace on',
    usage: '[number | trace-id | last | workflow:id | filter ...] [flags]',
    flags: [
      outputFlag(['tree', 'json']),
      {
        name: 'lines',
        type: 'bool',
        text: 'Show all lines that the apps wrote meanwhile, not only errors, warnings and those of the call that failed'
      },
      ...RUN_FILE
    ],
    examples: ['trace', 'trace is:failed', 'trace 48190', 'trace 4bf92f3577b34da6', 'trace last --lines'],
    load: async () => (await import('../commands/trace.ts')).trace
  },
  {
    name: 'why',
    summary: 'Show why an app is not running: what it waits for, or how it exited and which calls were in flight',
    usage: '[id | number] [flags]',
    flags: [
      {name: 'last-run', type: 'bool', text: 'Show the exits of the last run that had one, also if it was killed'},
      outputFlag(['text', 'json']),
      ...RUN_FILE
    ],
    examples: ['why', 'why payments', 'why 3', 'why --last-run'],
    takesIds: true,
    load: async () => (await import('../commands/why.ts')).why
  },
  {
    name: 'mcp',
    summary: 'Serve the run in this folder to a coding agent, over the Model Context Protocol on stdin and stdout',
    usage: '[flags]',
    flags: [{name: 'read-only', type: 'bool', text: 'Offer only tools that change nothing'}, ...RUN_FILE],
    examples: ['mcp', 'mcp --read-only'],
    load: async () => (await import('../commands/mcp.ts')).mcp
  },
  {
    name: 'graph',
    summary: 'Show which apps of a run have called which, and where that differs from dependsOn',
    usage: '[flags]',
    flags: [outputFlag(['table', 'mermaid', 'json']), ...RUN_FILE],
    examples: ['graph', 'graph -o mermaid', 'graph -o mermaid > calls.mmd'],
    load: async () => (await import('../commands/graph.ts')).graph
  },
  {
    name: 'fault',
    summary: 'Make calls between apps fail on purpose, or list the active faults',
    usage: '[FROM TO] [flags]',
    flags: [
      {name: 'abort', type: 'bool', text: "Reset the caller's connection"},
      textFlag('actor', 'Only calls of actors of this type, their timers and reminders: Cart'),
      textFlag('body', 'The body of the response with --status'),
      {name: 'cut', type: 'bool', text: 'Cut the response off after its head'},
      textFlag('cut-after', 'Cut the response off after this many bytes of its body'),
      textFlag('delay', 'Delay calls by this time: 300ms, 5s'),
      textFlag('disable', 'Disable the fault with this number, or all'),
      textFlag('enable', 'Enable the fault with this number, or all, again'),
      textFlag('for', 'End the fault after this time: 5m'),
      textFlag('jitter', 'Vary the delay by up to this time'),
      {name: 'kill', type: 'bool', text: 'Kill the process of the callee while it handles the call'},
      textFlag('method', 'Only calls with this method'),
      {name: 'never', type: 'bool', text: 'Send no response until the caller disconnects'},
      textFlag('off', 'Remove the fault with this number, or all'),
      outputFlag(['table', 'json']),
      textFlag('path', "Only calls with this path; * stands for anything: '/orders/*'"),
      textFlag('rate', 'Share of the calls to hit: 0.2'),
      ...RUN_FILE,
      textFlag('seed', 'Seed that selects these calls: the same ones in every run'),
      textFlag('status', 'Respond with this status instead of the callee: 503'),
      textFlag('times', 'Hit this many calls, then none')
    ],
    examples: [
      'fault shop stock --delay 300ms --jitter 100ms',
      "fault any stock --status 503 --rate 0.2 --method POST --path '/orders/*'",
      'fault shop stock --kill --times 1',
      'fault --actor Cart --delay 300ms',
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
    flags: [
      {name: 'no-open', type: 'bool', text: 'Print the address only'},
      {
        name: 'port',
        short: 'p',
        type: 'int',
        text: 'The port of the page, on loopback',
        shown: 'from 9700, depending on the template'
      },
      {name: 'read-only', type: 'bool', text: 'Open a page that cannot change anything'},
      ...whichRun('Path to the run template of the run', 'f'),
      hiddenFlag('kubernetes', 'bool', 'k')
    ],
    examples: ['dashboard', 'dashboard --no-open', 'dashboard --read-only -f dapr.yaml'],
    load: async () => (await import('../commands/dashboard.ts')).dashboard
  },
  {
    name: 'ui',
    summary: 'Show the apps of a run as a table on the terminal, with their logs, and keys that act on them',
    usage: '[flags]',
    flags: whichRun('Path to the run template of the run', 'f'),
    examples: ['ui', 'ui -f dapr.yaml'],
    load: async () => (await import('../commands/ui.ts')).ui
  },
  {
    name: 'runs',
    summary: 'Show the latest runs of a template, and what is slower in the last one than in the one before',
    usage: '[flags]',
    flags: [outputFlag(['text', 'json']), ...RUN_FILE],
    examples: ['runs', 'runs -o json'],
    load: async () => (await import('../commands/runs.ts')).runs
  },
  {
    name: 'replay',
    summary:
      'Send recorded calls again, also with another request, and compare the answers; pinned calls are sent after each save',
    usage: '[number ...] [flags]',
    flags: [
      textFlag('data', 'Send this body instead of the recorded one'),
      {
        name: 'header',
        type: 'stringArray',
        text: 'Send this header, instead of the recorded one: "name: value"; "name:" sends none'
      },
      textFlag('method', 'Send this method instead of the recorded one'),
      textFlag('path', 'Send this path, with its query, instead of the recorded one'),
      {
        name: 'fast',
        type: 'bool',
        text: 'With --window: send each call as soon as the one before it is answered'
      },
      {name: 'last-failed', type: 'bool', text: 'Send the latest failed call again'},
      outputFlag(['text', 'json'], {
        text: 'The output format. Valid values are: json (one object per call), or text (default)'
      }),
      textFlag('pin', 'Pin the call with this number: it is sent again after each save'),
      {name: 'pinned', type: 'bool', text: 'Send the pinned calls again now'},
      ...RUN_FILE,
      textFlag('unpin', 'Unpin the call with this number, or all'),
      {name: 'unsafe', type: 'bool', text: 'Send calls other than GET, HEAD and OPTIONS, too'},
      textFlag('window', 'Send the calls of the last 30s, of 120..180 (numbers), or of 14:46:20..14:46:30 again')
    ],
    examples: [
      'replay 48190',
      `replay 48190 --unsafe --data '{"amount": 5}' --header 'x-user: ada'`,
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
    flags: [
      {name: 'any', type: 'bool', text: 'One of the conditions is enough'},
      {
        name: 'for',
        type: 'stringArray',
        text: 'A condition: ready[:ID], idle[:500ms], log:[ID:]REGEX, calls:[[FROM:]TO:]N, reloaded:ID, exit:ID, workflow:ID:completed'
      },
      textFlag(
        'from',
        'Count lines, calls, reloads and exits from now (now) or from an event (its id), not from the start of the run'
      ),
      {name: 'ignore', type: 'stringArray', text: "Calls that idle ignores: 'GET /poll*'"},
      outputFlag(['text', 'json'], {refusal: 'usage'}),
      ...RUN_FILE,
      {...textFlag('timeout', 'How long to wait: 90s, 5m'), shown: '60s'}
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
    summary: 'Show what happens in a run: state changes, reloads, exits',
    usage: '[flags]',
    flags: [
      textFlag('after', 'Only events after the one with this id'),
      textFlag('app', 'Only events of this app'),
      {name: 'follow', short: 'f', type: 'bool', text: 'Keep showing events until the run ends'},
      outputFlag(['text', 'ndjson', 'json'], {refusal: 'usage'}),
      ...RUN_FILE,
      textFlag(
        'types',
        'Only these events: app, edges, calls, lines, reload, asleep, woken, death, troubles, replay, fault, workflow, note'
      )
    ],
    examples: ['events -f', 'events -f -o ndjson --types app,death', 'events --after 1789012345678'],
    load: async () => (await import('../commands/events.ts')).events
  },
  {
    name: 'url',
    summary: 'Print the address of an app, whatever port its run has given it',
    usage: 'id [flags]',
    flags: [whichApp('show'), outputFlag(['text', 'json']), ...WHOSE_RUN],
    examples: ['url web', 'url web -o json', 'url web --name pr-214'],
    takesIds: true,
    load: async () => (await import('../commands/url.ts')).url
  },
  {
    name: 'open',
    summary: 'Open an app in the browser',
    usage: 'id [flags]',
    flags: [whichApp('open'), ...WHOSE_RUN],
    examples: ['open web', 'open web --name pr-214'],
    takesIds: true,
    load: async () => (await import('../commands/url.ts')).open
  },
  {
    name: 'env',
    summary: 'Print the environment variables that a run sets for an app',
    usage: 'id [flags]',
    flags: [
      {
        name: 'all',
        type: 'bool',
        text: 'Print all variables, including those of the shell in which the run was started'
      },
      whichApp('show'),
      FORMAT,
      ...WHOSE_RUN
    ],
    examples: ['env shop', 'env shop --format dotenv > .env.shop', 'env shop --all'],
    takesIds: true,
    load: async () => (await import('../commands/debug.ts')).env
  },
  {
    name: 'exec',
    summary: 'Run a command in the folder and with the environment of an app',
    usage: 'id -- command [args]',
    flags: WHOSE_RUN,
    examples: ['exec shop -- npm test', "exec shop -- sh -c 'psql $DATABASE_URL'"],
    takesIds: true,
    load: async () => (await import('../commands/exec.ts')).exec
  }
]
