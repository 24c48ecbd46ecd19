import type {Flag} from './flags.ts'

const text = (name: string, words: string, short?: string): Flag => ({
  name,
  type: 'string',
  text: words,
  ...(short !== undefined && {short})
})
const hidden = (name: string, type: Flag['type'], short?: string): Flag => ({
  name,
  type,
  text: '',
  isHidden: true,
  ...(short !== undefined && {short})
})
const KUBERNETES = hidden('kubernetes', 'bool', 'k')

/** Ours: Dapr's CLI shows logs of Kubernetes alone. */
export const LOGS_FLAGS: readonly Flag[] = [
  text('app-id', 'The application id for which logs are needed; ids may stand as words, too', 'a'),
  {name: 'follow', short: 'f', type: 'bool', text: 'Go on with what the app writes, until it or its run ends'},
  text('grep', 'Only lines that match this regular expression of JavaScript'),
  text('run-file', 'The run template that the app belongs to'),
  text('since', 'Only what came since a time (2006-01-02 15:04:05), or so long ago (10m)'),
  {name: 'tail', type: 'int', text: 'Only so many lines, the last ones', shown: 'all', words: {all: Infinity}},
  {name: 'timestamps', short: 't', type: 'bool', text: 'Show when each line came'},
  text('version', 'Of a Daeploy service with several versions: this one, instead of the main one'),
  KUBERNETES,
  hidden('namespace', 'string', 'n'),
  hidden('pod-name', 'string', 'p')
]

export const PS_FLAGS: readonly Flag[] = [
  {name: 'watch', short: 'w', type: 'bool', text: 'Show it again as it changes, until nothing runs'}
]

export const RESTART_FLAGS: readonly Flag[] = [text('app-id', 'The application id to be started anew', 'a')]

const WHICH_RUN = text('run-file', 'The run template whose services are meant', 'f')

export const LS_FLAGS: readonly Flag[] = [WHICH_RUN]

export const ASSIGN_FLAGS: readonly Flag[] = [
  WHICH_RUN,
  {name: 'yes', short: 'y', type: 'bool', text: 'Accepted for scripts: nothing is asked'}
]

export const NOTIFICATIONS_FLAGS: readonly Flag[] = [
  text('output', 'The output format. Valid values are: json, or table (default)', 'o'),
  WHICH_RUN
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
  text('topic', 'The topic to be published to', 't'),
  SOCKET
]

/** All flags of `init`, which scripts may give. */
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
