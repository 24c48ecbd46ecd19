/** Names under a title. */
export type Group = readonly [title: string, names: readonly string[]]

const TEMPLATE: readonly Group[] = [
  ['Which apps', ['run-file', 'only', 'except', 'profile']],
  [
    'How they run and are shown',
    ['env', 'watch', 'log-style', 'timestamps', 'no-record', 'allowed-origins', 'dashboard']
  ]
]

/** How help groups the flags of a command by use on a terminal. What is in no group follows. */
export const FLAG_GROUPS: Readonly<Record<string, readonly Group[]>> = {
  run: [
    ['A template', ['run-file', 'only', 'except', 'profile', 'log-style', 'timestamps']],
    ['A template or a single app', ['env', 'watch', 'no-record', 'allowed-origins', 'dashboard']],
    [
      'A single app',
      ['app-id', 'app-port', 'app-protocol', 'app-channel-address', 'app-max-concurrency', 'unix-domain-socket']
    ],
    [
      'Its health',
      [
        'enable-app-health-check',
        'app-health-check-path',
        'app-health-probe-interval',
        'app-health-probe-timeout',
        'app-health-threshold'
      ]
    ],
    [
      'Its sidecar',
      [
        'config',
        'resources-path',
        'dapr-http-port',
        'dapr-grpc-port',
        'dapr-internal-grpc-port',
        'dapr-listen-addresses',
        'metrics-port',
        'max-body-size',
        'read-buffer-size',
        'log-level',
        'enable-api-logging',
        'enable-profiling',
        'profile-port',
        'placement-host-address',
        'scheduler-host-address'
      ]
    ]
  ],
  up: [
    ...TEMPLATE,
    ['For one command, in CI', ['run', 'as', 'settle', 'timeout', 'strict', 'logs', 'junit', 'report']]
  ],
  logs: [
    ['Which lines', ['app-id', 'grep', 'run-file', 'since', 'tail', 'version']],
    ['How they are shown', ['follow', 'timestamps']]
  ]
}

/** How the overview groups the commands on a terminal. */
export const COMMAND_GROUPS: readonly Group[] = [
  ['Run and stop', ['up', 'down', 'run', 'stop']],
  ['Look', ['ps', 'list', 'logs', 'calls', 'why', 'graph', 'dashboard']],
  ['Work with one app', ['start', 'restart', 'debug', 'env', 'fault']],
  ['Call', ['invoke', 'publish', 'replay']],
  ['Check', ['import', 'validate', 'doctor', 'schema']],
  ['For scripts and coding agents', ['wait', 'events', 'mcp']],
  ['Past one machine', ['export']],
  ['Daeploy services', ['ls', 'assign', 'notifications']]
]

/** The groups with their members, and what is in none of them as the last, without a title. */
export function grouped<T extends {readonly name: string}>(
  all: readonly T[],
  groups: readonly Group[]
): readonly (readonly [title: string, members: readonly T[]])[] {
  const parts = groups.map(
    ([title, names]) => [title, names.flatMap(name => all.filter(each => each.name === name))] as const
  )
  const rest = all.filter(({name}) => groups.every(([, names]) => !names.includes(name)))
  return [...parts, ['', rest] as const].filter(([, members]) => members.length > 0)
}
