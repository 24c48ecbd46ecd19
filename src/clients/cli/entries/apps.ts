import {boolFlag, intFlag, listFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {UsageError} from '../command-handler.ts'
import {CONTEXT, NAMESPACE, withKubernetes, type CommandEntry} from './command-entry.ts'

const WHOSE_RUN = whichRun('The run template of the app', 'f')

const whichApp = (what: string): Flag =>
  textFlag('app-id', `The application id to ${what}; ids are also accepted as arguments`, 'a')

const FORMATS = ['shell', 'dotenv', 'vscode']
const FORMAT = textFlag('format', 'Output format. Valid values are: shell, dotenv, or vscode', {
  shown: '"shell"',
  values: FORMATS,
  check: format => {
    if (FORMATS.includes(format)) return
    throw new UsageError(`invalid argument "${format}" for "--format" flag: expected ${FORMATS.join(', ')}`)
  }
})

/** Commands for the apps of a run. */
export const APP_COMMANDS: readonly CommandEntry[] = [
  withKubernetes(
    {
      name: 'logs',
      summary: 'Show the logs of apps. If nothing runs: of the last run',
      usage: '[id ...] [flags]',
      // logs of a local run are Pillion's alone: Dapr's CLI shows only logs of Kubernetes
      flags: [
        textFlag('app-id', 'The application id whose logs to show; ids can also be given as arguments', 'a'),
        boolFlag('follow', 'Stream new output until the app or the run exits', 'f'),
        textFlag('grep', 'Show only lines that match this JavaScript regular expression'),
        textFlag('run-file', 'Path to the run template of the run'),
        listFlag('name', 'The name of the run, as ps -o json shows it; of several the lines of each, with its name'),
        textFlag(
          'since',
          'Show only lines since a time (2006-01-02 15:04:05), or from the last minutes or hours (10m, 2h)'
        ),
        intFlag('tail', 'Number of lines to show from the end of the logs', {
          shown: 'all',
          words: new Map([['all', Infinity]])
        }),
        boolFlag('timestamps', 'Show the time of each line', 't'),
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
        boolFlag('app', "With -k: show the app's lines, from all its pods, instead of its sidecar's"),
        CONTEXT,
        NAMESPACE,
        textFlag('pod-name', 'With -k: the pod; default: all pods of the app', 'p')
      ],
      load: async () => (await import('../commands/kubernetes/cluster.ts')).logsInCluster
    }
  ),
  {
    name: 'start',
    summary: 'Start apps that were stopped, have exited or were debugged. Starts what they depend on, too',
    usage: 'id ... [flags]',
    flags: [whichApp('start'), ...WHOSE_RUN],
    examples: ['start shop', 'start shop stock'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).start
  },
  {
    name: 'restart',
    summary: 'Restart apps. Calls to them wait',
    usage: 'id ... [flags]',
    flags: [whichApp('restart'), ...WHOSE_RUN],
    examples: ['restart shop', 'restart --app-id shop'],
    takesIds: true,
    load: async () => (await import('../commands/start.ts')).restart
  },
  {
    name: 'debug',
    summary: 'Stop an app and print how to start it in a debugger',
    usage: 'id [flags]',
    flags: [whichApp('debug'), FORMAT, ...WHOSE_RUN],
    examples: ['debug shop', 'debug shop --format vscode'],
    takesIds: true,
    load: async () => (await import('../commands/debug.ts')).debug
  },
  {
    name: 'attach',
    summary: 'Show a run as up does. With an id: connect to the terminal of an app (tty: true)',
    usage: '[id] [flags]',
    flags: [
      whichApp('attach to'),
      textFlag(
        'detach-keys',
        'The keys that detach, as docker has them: characters, or ctrl- and a letter, with commas',
        {shown: '"ctrl-p,ctrl-q"'}
      ),
      ...WHOSE_RUN
    ],
    examples: ['attach', 'attach shop', 'attach shop --detach-keys ctrl-]'],
    takesIds: true,
    load: async () => (await import('../commands/attach.ts')).attachTo
  },
  {
    name: 'why',
    summary: 'Show why an app does not run',
    usage: '[id | number] [flags]',
    flags: [
      boolFlag('last-run', 'Show the exits of the last run that had one, also if it was killed'),
      outputFlag(['text', 'json']),
      ...whichRun('Path to the run template of the run')
    ],
    examples: ['why', 'why payments', 'why 3', 'why --last-run'],
    takesIds: true,
    load: async () => (await import('../commands/why.ts')).why
  },
  {
    name: 'url',
    summary: 'Print the address of an app',
    usage: 'id [flags]',
    flags: [whichApp('show'), outputFlag(['text', 'json']), ...WHOSE_RUN],
    examples: ['url web', 'url web -o json', 'url web --name pr-214'],
    takesIds: true,
    load: async () => (await import('../commands/url.ts')).url
  },
  {
    name: 'name',
    summary: 'Print the address of an app by name, which stays the same',
    usage: 'id [flags]',
    flags: [whichApp('show'), ...WHOSE_RUN],
    examples: ['name web', 'name web --name pr-214'],
    takesIds: true,
    load: async () => (await import('../commands/url.ts')).name
  },
  {
    name: 'open',
    summary: 'Open an app in the browser, or the dashboard of the run',
    usage: '[id] [flags]',
    flags: [whichApp('open'), ...WHOSE_RUN],
    examples: ['open web', 'open web --name pr-214', 'open'],
    takesIds: true,
    load: async () => (await import('../commands/url.ts')).open
  },
  {
    name: 'env',
    summary: 'Print the environment variables of an app',
    usage: 'id [flags]',
    flags: [
      boolFlag('all', 'Print all variables, including those of the shell in which the run was started'),
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
    summary: 'Run a command with the folder and environment of an app',
    usage: 'id -- command [args]',
    flags: [
      boolFlag('here', 'Not of an app: in this folder, with env of common and the numbers of this copy'),
      ...WHOSE_RUN
    ],
    examples: ['exec shop -- npm test', "exec shop -- sh -c 'psql $DATABASE_URL'", 'exec --here -- npm test'],
    takesIds: true,
    load: async () => (await import('../commands/exec.ts')).exec
  }
]
