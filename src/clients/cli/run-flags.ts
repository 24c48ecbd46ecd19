import type {CommandContext} from './command-handler.ts'
import {CONTEXT, NAMESPACE, SOCKET, YES} from './entries/command-entry.ts'
import {boolFlag, envFlag, intFlag, listFlag, textFlag, type Flag} from './flag.ts'
import {signedLine} from './print.ts'
import type {Terminal} from './terminal.ts'

const int = (name: string, text: string, short?: string): Flag => ({...intFlag(name, text, short), shown: '-1'})

const DEPRECATED = 'This flag is deprecated and will be removed in the future releases.'

/** The flags of `cmd/run.go` in Dapr's CLI, and our own. */
export const RUN_FLAGS: readonly Flag[] = [
  textFlag('app-channel-address', 'The network address the application listens on', {shown: '"127.0.0.1"'}),
  textFlag('app-health-check-path', 'Path used for health checks; HTTP only'),
  intFlag('app-health-probe-interval', 'Interval to probe for the health of the app in seconds'),
  intFlag('app-health-probe-timeout', 'Timeout for app health probes in milliseconds'),
  intFlag('app-health-threshold', 'Number of consecutive failures for the app to be considered unhealthy'),
  textFlag('app-id', 'The id for your application, used for service discovery', 'a'),
  int('app-max-concurrency', 'The concurrency level of the application, otherwise is unlimited'),
  int('app-port', 'The port your application is listening on', 'p'),
  textFlag('app-protocol', 'The protocol (grpc, grpcs, http, https, h2c) Dapr uses to talk to the application', {
    short: 'P',
    shown: '"http"',
    values: ['http', 'https', 'h2c', 'grpc', 'grpcs']
  }),
  boolFlag('app-ssl', 'Enable https when Dapr invokes the application', {
    isHidden: true,
    deprecated: `${DEPRECATED} Use "app-protocol" flag with https or grpcs values instead`
  }),
  listFlag('components-path', 'The path for components directory', {
    short: 'd',
    isHidden: true,
    deprecated: `${DEPRECATED} Use "resources-path" flag instead`
  }),
  textFlag('config', 'Dapr configuration file', 'c'),
  boolFlag('dashboard', 'Open the dashboard of the run in the browser'),
  int('dapr-grpc-port', 'The gRPC port for Dapr to listen on', 'G'),
  int('dapr-http-port', 'The HTTP port for Dapr to listen on', 'H'),
  int('dapr-internal-grpc-port', 'The gRPC port for the Dapr internal API to listen on', 'I'),
  textFlag('dapr-listen-addresses', 'Comma separated list of IP addresses that sidecar will listen to'),
  boolFlag('enable-api-logging', 'Log API calls at INFO verbosity. Valid values are: true or false'),
  boolFlag(
    'enable-app-health-check',
    'Enable health checks for the application using the protocol defined with app-protocol'
  ),
  boolFlag('enable-profiling', 'Enable pprof profiling via an HTTP endpoint'),
  envFlag(),
  textFlag('log-style', 'Prefix of the lines of apps: dapr (== APP - id ==) or short (id │)', {
    shown: '"dapr"',
    values: ['dapr', 'short']
  }),
  textFlag('log-level', 'The log verbosity. Valid values are: debug, info, warn, error, fatal, or panic', {
    shown: '"info"',
    values: ['debug', 'info', 'warn', 'error', 'fatal']
  }),
  textFlag('max-body-size', 'Max size of the request body', {shown: '"4Mi"'}),
  int('metrics-port', 'The port of metrics on dapr', 'M'),
  listFlag('except', 'Do not start these apps: you do, for example in a debugger'),
  listFlag(
    'allowed-origins',
    'Origins whose pages may call the sidecars, besides those of this machine: https://shop.example'
  ),
  boolFlag('isolated', 'Give every port that the template fixes another number: copies run side by side'),
  boolFlag('strict-ports', 'Fail where a copy of the template has a port, instead of taking another'),
  boolFlag('lazy', 'Start an app with its first call, if it can be called'),
  boolFlag('forget', 'Begin without the workflows that earlier runs have left'),
  textFlag(
    'name',
    'Name of this run: another one of the template has its own ports and data; commands take it as --name'
  ),
  boolFlag('no-record', 'Do not record calls between apps'),
  listFlag('only', 'Run only these apps and those that they depend on'),
  textFlag('placement-host-address', 'The address of the placement service', {shown: '"localhost"'}),
  textFlag('port', 'Where others call the application: Pillion listens there, and passes calls on'),
  listFlag('profile', 'Also start the apps that have one of these profiles'),
  int('profile-port', 'The port for the profile server to listen on'),
  textFlag('read-buffer-size', 'HTTP header read buffer', {shown: '"4Ki"'}),
  listFlag('resources-path', 'The path for resources directory'),
  textFlag(
    'run-file',
    'Path to the run template file for the list of apps to run; further files override the first one',
    {short: 'f', repeats: true}
  ),
  textFlag('scheduler-host-address', 'The address of the scheduler service', {shown: '"localhost"'}),
  boolFlag('timestamps', 'Show the time of each line of an app'),
  SOCKET,
  boolFlag('watch', 'Restart an app when its files change, without losing a request; apply edits of the template', 'w')
]

/** Flags with a template that have a meaning only on this machine, not in a cluster. */
export const HERE_ALONE: readonly string[] =
  'dashboard except forget isolated lazy name strict-ports no-record allowed-origins only watch'.split(' ')

/** The flags that `run` accepts together with a template; all others belong in the template. */
export const WITH_TEMPLATE: ReadonlySet<string> = new Set([
  ...'kubernetes help version runtime-path log-as-json run-file env profile log-style timestamps'.split(' '),
  ...HERE_ALONE
])

/** Flags of `run -k`. */
export const RUN_IN_CLUSTER: readonly Flag[] = [
  boolFlag('build', 'With -k: build an image for each app that has a Dockerfile and no containerImage'),
  CONTEXT,
  NAMESPACE,
  textFlag('registry', 'With -k --build: push the images to HOST/PATH'),
  textFlag('timeout', 'With -k: how long apps may take to become ready', {shown: '"5m"'}),
  YES
]

/** Flags of `up --run`. */
export const COMMAND_FLAGS: readonly Flag[] = [
  textFlag('run', 'Run this command once all apps are ready, stop the run, and exit with its code'),
  textFlag('as', 'The app id of the command, which has a sidecar of its own', {shown: '"test"'}),
  textFlag('settle', 'After the command, wait until the run has been idle for this time: 500ms'),
  textFlag('timeout', 'Give up after this time, with exit code 124: 5m'),
  boolFlag('strict', 'Exit with 1 if an app crashed, even if the command succeeded'),
  boolFlag('logs', 'Also show the output of the apps, on stderr'),
  textFlag('junit', 'Write a JUnit report to this file'),
  textFlag('report', 'Write events, failed calls, logs and crashes to this folder')
]

/** Warns of flags that are ignored with a template (`executeRun` in Dapr's `cmd/run.go`); `more`: further flags that are not ignored. */
export function warnOfIgnored({flags, asJson}: CommandContext, {out}: Terminal, more: readonly Flag[] = []): void {
  const known = new Set([...WITH_TEMPLATE, ...more.map(({name}) => name)])
  const ignored = flags.names.filter(name => !known.has(name)).toSorted()
  if (ignored.length === 0) return
  const message = `The following flags are ignored when using --run-file and should be configured in the run file instead: ${ignored.join(', ')}`
  void out.print(signedLine('warning', message, asJson))
}
