import {boolFlag, outputFlag} from '../flag.ts'
import type {Group} from '../groups.ts'
import {COMMAND_FLAGS, RUN_FLAGS, RUN_IN_CLUSTER, WITH_TEMPLATE} from '../run-flags.ts'
import {withKubernetes, type CommandEntry} from './command-entry.ts'

const SHOWN: Group = ['What you see', ['dashboard', 'log-style', 'timestamps', 'no-record']]

export const RUN_ENTRY: CommandEntry = withKubernetes(
  {
    name: 'run',
    summary: 'Run one program with a Dapr sidecar. With -f: a template',
    flags: RUN_FLAGS,
    examples: ['run --run-file dapr.yaml', 'run --run-file /path/to/directory', 'run --run-file -'],
    groups: [
      ['Which apps', ['run-file', 'profile', 'only', 'except', 'lazy']],
      ['How they run', ['watch', 'env', 'forget', 'name', 'isolated', 'strict-ports', 'allowed-origins']],
      SHOWN,
      [
        'A single app',
        'app-id app-port port app-protocol app-channel-address app-max-concurrency unix-domain-socket'.split(' ')
      ],
      ['Its health', RUN_FLAGS.map(({name}) => name).filter(name => name.includes('health'))],
      [
        'Its sidecar',
        [
          ...'config resources-path dapr-http-port dapr-grpc-port dapr-internal-grpc-port'.split(' '),
          ...'dapr-listen-addresses metrics-port max-body-size read-buffer-size log-level'.split(' '),
          ...'enable-api-logging enable-profiling profile-port placement-host-address'.split(' '),
          'scheduler-host-address'
        ]
      ],
      ['Kubernetes', ['kubernetes', ...RUN_IN_CLUSTER.map(({name}) => name)]]
    ],
    load: async () => (await import('../commands/run.ts')).run
  },
  {
    text: 'Run the multi-app run template against Kubernetes environment.',
    flags: RUN_IN_CLUSTER,
    load: async () => (await import('../commands/kubernetes/run.ts')).runInCluster
  }
)

/** The command `up`, which is short for `run -f .`. */
export const UP_ENTRY: CommandEntry = {
  name: 'up',
  summary: 'Start all apps of this folder',
  flags: [
    ...RUN_FLAGS.filter(({name}) => WITH_TEMPLATE.has(name)).map(flag =>
      flag.name === 'run-file' ? {...flag, shown: '"."'} : flag
    ),
    boolFlag(
      'detach',
      'Leave the run in the background once its apps are ready; down stops it, logs -f follows it',
      'd'
    ),
    outputFlag(['text', 'json'], {
      text: 'With -d: how the run is described. Valid values are: json, or text (default)'
    }),
    boolFlag('background', 'The run of up -d itself', {isHidden: true}),
    ...COMMAND_FLAGS
  ],
  examples: [
    'up',
    'up --watch',
    'up -d',
    'up --except shop',
    'up -f dapr.yaml -f mine.yaml',
    'up --profile debug',
    "up --run 'npm test'"
  ],
  groups: [
    ['Which apps', ['run-file', 'only', 'except', 'profile', 'lazy']],
    ['How they run', ['watch', 'detach', 'env', 'forget', 'name', 'isolated', 'strict-ports', 'allowed-origins']],
    SHOWN,
    ['For one command, in CI', COMMAND_FLAGS.map(({name}) => name)]
  ],
  load: async () => (await import('../commands/run.ts')).up
}
