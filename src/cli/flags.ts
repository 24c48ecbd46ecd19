import {checkVariable} from './env-flag.ts'
import type {Flag} from './flag.ts'
import {READ_CLUSTER, RUN_IN_CLUSTER, STOP_IN_CLUSTER} from './kubernetes-flags.ts'

export const GLOBAL_FLAGS: readonly Flag[] = [
  {name: 'log-as-json', type: 'bool', text: 'Log output in JSON format'},
  {name: 'runtime-path', type: 'string', text: 'The path to the dapr runtime installation directory'}
]

const int = (name: string, text: string, short?: string): Flag => ({
  name,
  type: 'int',
  text,
  shown: '-1',
  ...(short !== undefined && {short})
})
const text = (name: string, words: string, shown?: string): Flag => ({
  name,
  type: 'string',
  text: words,
  ...(shown !== undefined && {shown})
})

/** The flags of `cmd/run.go` in Dapr's CLI, and our own. */
export const RUN_FLAGS: readonly Flag[] = [
  text('app-channel-address', 'The network address the application listens on', '"127.0.0.1"'),
  text('app-health-check-path', 'Path used for health checks; HTTP only'),
  {name: 'app-health-probe-interval', type: 'int', text: 'Interval to probe for the health of the app in seconds'},
  {name: 'app-health-probe-timeout', type: 'int', text: 'Timeout for app health probes in milliseconds'},
  {
    name: 'app-health-threshold',
    type: 'int',
    text: 'Number of consecutive failures for the app to be considered unhealthy'
  },
  {name: 'app-id', short: 'a', type: 'string', text: 'The id for your application, used for service discovery'},
  int('app-max-concurrency', 'The concurrency level of the application, otherwise is unlimited'),
  int('app-port', 'The port your application is listening on', 'p'),
  {
    name: 'app-protocol',
    short: 'P',
    type: 'string',
    text: 'The protocol (grpc, grpcs, http, https, h2c) Dapr uses to talk to the application',
    shown: '"http"'
  },
  {
    name: 'app-ssl',
    type: 'bool',
    text: 'Enable https when Dapr invokes the application',
    isHidden: true,
    deprecated:
      'This flag is deprecated and will be removed in the future releases. Use "app-protocol" flag with https or grpcs values instead'
  },
  {
    name: 'components-path',
    short: 'd',
    type: 'strings',
    text: 'The path for components directory',
    isHidden: true,
    deprecated: 'This flag is deprecated and will be removed in the future releases. Use "resources-path" flag instead'
  },
  {name: 'config', short: 'c', type: 'string', text: 'Dapr configuration file'},
  {name: 'dashboard', type: 'bool', text: 'Open the dashboard of the run in the browser'},
  int('dapr-grpc-port', 'The gRPC port for Dapr to listen on', 'G'),
  int('dapr-http-port', 'The HTTP port for Dapr to listen on', 'H'),
  int('dapr-internal-grpc-port', 'The gRPC port for the Dapr internal API to listen on', 'I'),
  text('dapr-listen-addresses', 'Comma separated list of IP addresses that sidecar will listen to'),
  {name: 'enable-api-logging', type: 'bool', text: 'Log API calls at INFO verbosity. Valid values are: true or false'},
  {
    name: 'enable-app-health-check',
    type: 'bool',
    text: 'Enable health checks for the application using the protocol defined with app-protocol'
  },
  {name: 'enable-profiling', type: 'bool', text: 'Enable pprof profiling via an HTTP endpoint'},
  {
    name: 'env',
    short: 'e',
    type: 'stringArray',
    text: 'Set an environment variable of every app, KEY=VALUE; may be repeated',
    check: checkVariable
  },
  {
    name: 'kubernetes',
    short: 'k',
    type: 'bool',
    text: 'Run the multi-app run template against Kubernetes environment.'
  },
  {
    name: 'log-style',
    type: 'string',
    text: "Prefix of the lines of a run template's apps: dapr (== APP - id ==) or short (id │)",
    shown: '"dapr"'
  },
  text('log-level', 'The log verbosity. Valid values are: debug, info, warn, error, fatal, or panic', '"info"'),
  text('max-body-size', 'Max size of the request body', '"4Mi"'),
  int('metrics-port', 'The port of metrics on dapr', 'M'),
  {
    name: 'except',
    type: 'strings',
    text: 'Do not start these apps of the run template: you start them yourself, for example in a debugger'
  },
  {
    name: 'allowed-origins',
    type: 'strings',
    text: 'Origins whose web pages may send requests to the sidecars, besides those of this machine: https://shop.example'
  },
  {name: 'no-record', type: 'bool', text: 'Do not record calls between apps: calls and why show none'},
  {name: 'only', type: 'strings', text: 'Run only these apps of the run template and the apps that they depend on'},
  text('placement-host-address', 'The address of the placement service', '"localhost"'),
  {
    name: 'profile',
    type: 'strings',
    text: 'Also start the apps of the run template that have one of these profiles'
  },
  int('profile-port', 'The port for the profile server to listen on'),
  text('read-buffer-size', 'HTTP header read buffer', '"4Ki"'),
  {name: 'resources-path', type: 'strings', text: 'The path for resources directory'},
  {
    name: 'run-file',
    short: 'f',
    type: 'string',
    repeats: true,
    text: 'Path to the run template file for the list of apps to run; further files override the first one'
  },
  text('scheduler-host-address', 'The address of the scheduler service', '"localhost"'),
  {name: 'timestamps', type: 'bool', text: "Show the time of each line of a run template's apps"},
  {
    name: 'unix-domain-socket',
    short: 'u',
    type: 'string',
    text: 'Path to a unix domain socket dir. If specified, Dapr API servers will use Unix Domain Sockets'
  },
  {
    name: 'watch',
    type: 'bool',
    text: 'Restart an app when its files change, without losing a request; apply edits of the run template'
  },
  ...RUN_IN_CLUSTER
]

/** The flags that `run` accepts together with a template; all others belong in the template. */
export const WITH_TEMPLATE: ReadonlySet<string> = new Set([
  'kubernetes',
  'help',
  'version',
  'runtime-path',
  'log-as-json',
  'run-file',
  'dashboard',
  'env',
  'except',
  'no-record',
  'allowed-origins',
  'only',
  'profile',
  'watch',
  'log-style',
  'timestamps'
])
const HERE = {shown: '"."'}

/** Flags of `up --run`. */
export const COMMAND_FLAGS: readonly Flag[] = [
  text('run', 'Run this command once all apps are ready, stop the run, and exit with its code'),
  text('as', 'The app id of the command, which has a sidecar of its own', '"test"'),
  text('settle', 'After the command, wait until the run has been idle for this time: 500ms'),
  text('timeout', 'Give up after this time, with exit code 124: 5m'),
  {name: 'strict', type: 'bool', text: 'Exit with 1 if an app crashed, even if the command succeeded'},
  {name: 'logs', type: 'bool', text: 'Also show the output of the apps, on stderr'},
  text('junit', 'Write a JUnit report to this file'),
  text('report', 'Write events, failed calls, logs and crashes to this folder')
]

/** `run -f .` in short. */
export const UP_FLAGS: readonly Flag[] = [
  ...RUN_FLAGS.filter(({name}) => WITH_TEMPLATE.has(name) && name !== 'kubernetes').map(flag =>
    flag.name === 'run-file' ? {...flag, ...HERE} : flag
  ),
  ...COMMAND_FLAGS
]

export const DOWN_FLAGS: readonly Flag[] = [
  {
    name: 'run-file',
    short: 'f',
    type: 'string',
    text: 'Path to the run template file for the list of apps to stop',
    ...HERE
  }
]

export const STOP_FLAGS: readonly Flag[] = [
  {name: 'app-id', short: 'a', type: 'string', text: 'The application id to be stopped'},
  {name: 'kubernetes', short: 'k', type: 'bool', text: 'Stop deployments in Kubernetes based on multi-app run file'},
  {name: 'run-file', short: 'f', type: 'string', text: 'Path to the run template file for the list of apps to stop'},
  {name: 'version', type: 'string', text: 'Stop only this version of a Daeploy service'},
  ...STOP_IN_CLUSTER
]

export const LIST_FLAGS: readonly Flag[] = [
  {name: 'all-namespaces', short: 'A', type: 'bool', text: 'If true, list all Dapr pods in all namespaces'},
  {name: 'kubernetes', short: 'k', type: 'bool', text: 'List all Dapr pods in a Kubernetes cluster'},
  text('namespace', 'List define namespace pod in a Kubernetes cluster'),
  {
    name: 'output',
    short: 'o',
    type: 'string',
    text: 'The output format of the list. Valid values are: json, yaml, or table (default)'
  },
  ...READ_CLUSTER
]

const ENV_FLAG = RUN_FLAGS.filter(({name}) => name === 'env')

export const VALIDATE_FLAGS: readonly Flag[] = [
  ...ENV_FLAG.map(flag => ({
    ...flag,
    text: 'Set a variable that the template interpolates, KEY=VALUE; may be repeated'
  })),
  {
    name: 'output',
    short: 'o',
    type: 'string',
    text: 'The output format of the findings. Valid values are: json, or text (default)'
  },
  {name: 'profile', type: 'strings', text: 'Check it as it runs with these profiles'},
  {name: 'run-file', short: 'f', type: 'string', repeats: true, text: 'Path to the run template file', shown: '"."'}
]

export const DOCTOR_FLAGS: readonly Flag[] = [
  {
    name: 'run-file',
    short: 'f',
    type: 'string',
    repeats: true,
    text: 'Path to the run template file',
    shown: '"." if it has one'
  }
]

export const VERSION_FLAGS: readonly Flag[] = [
  {name: 'output', short: 'o', type: 'string', text: 'The output format of the version command. Valid values are: json'}
]
