import {checkVariable} from './env-flag.ts'
import {RUNTIME_VERSION} from '../model/version.ts'
import {textFlag as text, type Flag} from './flag.ts'
import {LOGS_IN_CLUSTER} from './kubernetes-flags.ts'

const hidden = (name: string, type: Flag['type'], short?: string): Flag => ({
  name,
  type,
  text: '',
  isHidden: true,
  ...(short !== undefined && {short})
})
const KUBERNETES = hidden('kubernetes', 'bool', 'k')

/** Our own command: Dapr's CLI shows only logs of Kubernetes. */
export const LOGS_FLAGS: readonly Flag[] = [
  text('app-id', 'The application id whose logs to show; ids can also be given as arguments', 'a'),
  {name: 'follow', short: 'f', type: 'bool', text: 'Stream new output until the app or the run exits'},
  text('grep', 'Show only lines that match this JavaScript regular expression'),
  text('run-file', 'Path to the run template of the run'),
  text('since', 'Show only lines since a time (2006-01-02 15:04:05), or from the last minutes or hours (10m, 2h)'),
  {
    name: 'tail',
    type: 'int',
    text: 'Number of lines to show from the end of the logs',
    shown: 'all',
    words: {all: Infinity}
  },
  {name: 'timestamps', short: 't', type: 'bool', text: 'Show the time of each line'},
  text('version', 'The version of a Daeploy service to show, instead of the main version'),
  ...LOGS_IN_CLUSTER
]

export const CALLS_FLAGS: readonly Flag[] = [
  {name: 'follow', short: 'f', type: 'bool', text: 'Keep showing calls as they end'},
  {name: 'number', short: 'n', type: 'int', text: 'Number of latest calls to show', shown: '20'},
  text('output', 'The output format. Valid values are: ndjson, har, http, curl, otlp, or table (default)', 'o'),
  text('run-file', 'Path to the run template of the run')
]

export const DASHBOARD_FLAGS: readonly Flag[] = [
  {name: 'no-open', type: 'bool', text: 'Print the address only'},
  {
    name: 'port',
    short: 'p',
    type: 'int',
    text: 'The port of the page, on loopback',
    shown: 'from 9700, depending on the template'
  },
  {name: 'read-only', type: 'bool', text: 'Open a page that cannot change anything'},
  text('run-file', 'Path to the run template of the run', 'f'),
  KUBERNETES
]

export const GRAPH_FLAGS: readonly Flag[] = [
  text('output', 'The output format. Valid values are: mermaid, dot, json, or table (default)', 'o'),
  text('run-file', 'Path to the run template of the run')
]

export const WHY_FLAGS: readonly Flag[] = [
  text('output', 'The output format. Valid values are: json, or text (default)', 'o'),
  text('run-file', 'Path to the run template of the run')
]

export const FAULT_FLAGS: readonly Flag[] = [
  {name: 'abort', type: 'bool', text: "Reset the caller's connection"},
  text('body', 'The body of the response with --status'),
  {name: 'cut', type: 'bool', text: 'Cut the response off after its head'},
  text('cut-after', 'Cut the response off after this many bytes of its body'),
  text('delay', 'Delay calls by this time: 300ms, 5s'),
  text('disable', 'Disable the fault with this number, or all'),
  text('enable', 'Enable the fault with this number, or all, again'),
  text('for', 'End the fault after this time: 5m'),
  text('jitter', 'Vary the delay by up to this time'),
  {name: 'kill', type: 'bool', text: 'Kill the process of the callee while it handles the call'},
  text('method', 'Only calls with this method'),
  {name: 'never', type: 'bool', text: 'Send no response until the caller disconnects'},
  text('off', 'Remove the fault with this number, or all'),
  text('output', 'The output format. Valid values are: json, or table (default)', 'o'),
  text('path', "Only calls with this path; * stands for anything: '/orders/*'"),
  text('rate', 'Share of the calls to hit: 0.2'),
  text('run-file', 'Path to the run template of the run'),
  text('seed', 'Seed that selects these calls: the same ones in every run'),
  text('status', 'Respond with this status instead of the callee: 503'),
  text('times', 'Hit this many calls, then none')
]

export const REPLAY_FLAGS: readonly Flag[] = [
  {
    name: 'fast',
    type: 'bool',
    text: 'With --window: send each call as soon as the one before it is answered'
  },
  {name: 'last-failed', type: 'bool', text: 'Send the latest failed call again'},
  text('output', 'The output format. Valid values are: json (one object per call), or text (default)', 'o'),
  text('pin', 'Pin the call with this number: it is sent again after each save'),
  {name: 'pinned', type: 'bool', text: 'Send the pinned calls again now'},
  text('run-file', 'Path to the run template of the run'),
  text('unpin', 'Unpin the call with this number, or all'),
  {name: 'unsafe', type: 'bool', text: 'Send calls other than GET, HEAD and OPTIONS, too'},
  text('window', 'Send the calls of the last 30s, of 120..180 (numbers), or of 14:46:20..14:46:30 again')
]

export const EXPORT_FLAGS: readonly Flag[] = [
  {...text('dapr', "The version of Dapr's images in a compose file"), shown: `"${RUNTIME_VERSION}"`},
  {
    name: 'env',
    short: 'e',
    type: 'stringArray',
    text: 'Set an environment variable of every app, KEY=VALUE; may be repeated',
    check: checkVariable
  },
  text('namespace', 'The namespace of the Kubernetes objects', 'n'),
  {...text('output', 'The folder for Kubernetes objects, the compose file, or - for stdout', 'o'), shown: '"-"'},
  {name: 'profile', type: 'strings', text: 'Include the apps of the run template that have one of these profiles'},
  {name: 'run-file', short: 'f', type: 'string', repeats: true, text: 'Path to the run template file', shown: '"."'}
]

export const IMPORT_FLAGS: readonly Flag[] = [
  {name: 'force', type: 'bool', text: 'Overwrite an existing file'},
  text(
    'from',
    'What to read if there are several sources. Valid values are: procfile, compose, process-compose, or folder'
  ),
  {...text('output', 'The file to write; - for standard output', 'o'), shown: '"dapr.yaml"'}
]

export const PS_FLAGS: readonly Flag[] = [
  text('output', 'The output format. Valid values are: json, or table (default)', 'o'),
  text('run-file', 'Path to the run template of the run', 'f'),
  {name: 'watch', short: 'w', type: 'bool', text: 'Keep the table up to date until nothing runs'}
]

const whichApp = (what: string): Flag =>
  text('app-id', `The application id to ${what}; ids are also accepted as arguments`, 'a')
const WHOSE_RUN = text('run-file', 'The run template of the app', 'f')
const FORMAT: Flag = {...text('format', 'Output format. Valid values are: shell, dotenv, or vscode'), shown: '"shell"'}

export const START_FLAGS: readonly Flag[] = [whichApp('start'), WHOSE_RUN]

export const RESTART_FLAGS: readonly Flag[] = [whichApp('restart'), WHOSE_RUN]

export const DEBUG_FLAGS: readonly Flag[] = [whichApp('debug'), FORMAT, WHOSE_RUN]

export const ENV_FLAGS: readonly Flag[] = [
  {name: 'all', type: 'bool', text: 'Print all variables, including those of the shell in which the run was started'},
  whichApp('show'),
  FORMAT,
  WHOSE_RUN
]

const WHICH_RUN = text('run-file', 'Path to the run template of the services', 'f')

export const LS_FLAGS: readonly Flag[] = [WHICH_RUN]

export const ASSIGN_FLAGS: readonly Flag[] = [
  WHICH_RUN,
  {name: 'yes', short: 'y', type: 'bool', text: 'Accepted for scripts; there is no prompt'}
]

export const NOTIFICATIONS_FLAGS: readonly Flag[] = [
  text('output', 'The output format. Valid values are: json, or table (default)', 'o'),
  WHICH_RUN
]

export const REDIS_FLAGS: readonly Flag[] = [
  {name: 'off', type: 'bool', text: 'Ask the run that holds the port to release it for the rest of the run'}
]

const SOCKET = text(
  'unix-domain-socket',
  'Path to a unix domain socket dir. If specified, Dapr API servers will use Unix Domain Sockets',
  'u'
)

/** `cmd/invoke.go` of Dapr's CLI. */
export const INVOKE_FLAGS: readonly Flag[] = [
  text('app-id', 'The application id to invoke', 'a'),
  text('data', 'The JSON serialized data string (optional)', 'd'),
  text('data-file', 'A file containing the JSON serialized data (optional)', 'f'),
  text('method', 'The method to invoke', 'm'),
  text('run-file', 'The run template of the app'),
  SOCKET,
  {...text('verb', 'The HTTP verb to use', 'v'), shown: '"POST"'}
]

/** `cmd/publish.go` of Dapr's CLI. */
export const PUBLISH_FLAGS: readonly Flag[] = [
  text('data', 'The JSON serialized data string (optional)', 'd'),
  text('data-file', 'A file containing the JSON serialized data (optional)', 'f'),
  text('metadata', 'The JSON serialized publish metadata (optional)', 'm'),
  text('publish-app-id', 'The ID of the publishing app', 'i'),
  text('pubsub', 'The name of the pub/sub component', 'p'),
  text('run-file', 'The run template of the app'),
  text('topic', 'The topic to be published to', 't'),
  SOCKET
]

/** The flags of Dapr's `init`, which scripts may use; they have no effect. */
export const INIT_FLAGS: readonly Flag[] = [
  KUBERNETES,
  hidden('slim', 'bool', 's'),
  hidden('dev', 'bool'),
  hidden('wait', 'bool'),
  hidden('enable-mtls', 'bool'),
  hidden('enable-ha', 'bool'),
  hidden('redis-stack', 'bool'),
  hidden('timeout', 'int'),
  hidden('namespace', 'string', 'n'),
  hidden('set', 'strings'),
  ...[
    'runtime-version',
    'container-runtime',
    'network',
    'image-registry',
    'from-dir',
    'image-variant',
    'scheduler-volume',
    'scheduler-override-broadcast-host-port',
    'ca-root-certificate',
    'issuer-private-key',
    'issuer-public-certificate'
  ].map(name => hidden(name, 'string'))
]

export const UNINSTALL_FLAGS: readonly Flag[] = [
  KUBERNETES,
  hidden('all', 'bool'),
  hidden('dev', 'bool'),
  hidden('timeout', 'int'),
  hidden('namespace', 'string', 'n'),
  hidden('network', 'string'),
  hidden('container-runtime', 'string')
]
