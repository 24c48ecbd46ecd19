/** The parts of the tests: which they run, what they need, how long they take. */
import {availableParallelism} from 'node:os'
import {join} from 'node:path'

/** A program or a library that some tests need, and how a build machine gets it. */
export interface Need {
  readonly program: string
  /** Debian's package. */
  readonly debian: string
  /** The folder where it is looked for besides PATH. */
  readonly at?: string
}

export interface Part {
  /** Folders, and single files. Those that take longest stand first, so that no core waits for them at the end. */
  readonly tests: readonly string[]
  /** Files of these folders that are not run. */
  readonly except?: readonly string[]
  /** What it takes on two quiet cores. */
  readonly minutes: number
  readonly what: string
  /** Commands that come first. */
  readonly before?: readonly (readonly string[])[]
  /** Commands before those. They write caches alone: other tests may run meanwhile. */
  readonly builds?: readonly (readonly string[])[]
  readonly env?: Readonly<Record<string, string>>
  readonly needs?: readonly Need[]
  /** Files that run at a time, if that many programs would starve each other. */
  readonly jobs?: number
}

const PYTHON: Need = {program: 'python3', debian: 'python3-venv'}
const GO: Need = {program: 'go', debian: 'golang-go'}
const JAVA: Need = {program: 'java', debian: 'default-jdk-headless'}
const MAVEN: Need = {program: 'mvn', debian: 'maven'}
const REDIS: Need = {program: 'redis-server', debian: 'redis-server'}
const CURL: Need = {program: 'curl', debian: 'curl'}
const BUSYBOX: Need = {program: 'busybox', debian: 'busybox-static'}

/** End-to-end tests of what asks the system: processes, listeners, pipes, terminals. */
const OF_SYSTEM = `crash few-descriptors lifecycle list logs-floods output ps refused reload run stop stop-ways up`
  .split(/\s+/)
  .map(name => `test/e2e/${name}.test.ts`)

/** What may differ from one platform to another. */
const OF_PLATFORM = [
  ...OF_SYSTEM,
  ...['live', 'orphans-template', 'suspended'].map(name => `test/long/${name}.test.ts`)
]

/** A folder, of which these files come first. */
const first = (folder: string, names: readonly string[]): readonly string[] => [
  ...names.map(name => `test/${folder}/${name}.test.ts`),
  `test/${folder}`
]

/** The program under test is the one that people install. */
const OF_EXECUTABLE = {
  before: [['node', 'scripts/binary.js']],
  env: {PILLION: join(import.meta.dirname, '../../build/pillion')}
} as const

/** They wait more than they compute: begun first, they do it while checks and other tests compute, and none of them is the last one. */
const LONG_WAITS = `test/integration/days.test.ts test/e2e/lazy.test.ts test/unit/work/workflow/left-work.test.ts
  test/e2e/socket-output.test.ts test/integration/files/watcher/watcher.test.ts
  test/integration/files/watcher/replaced.test.ts`.split(/\s+/)

/** More than a third of the processor time of all end-to-end tests, for what most changes do not touch: the part `executable` runs them. */
const BY_EXECUTABLE_ALONE =
  `actors actors-end actors-gone actors-runs actors-seen actors-verbs alone api-copies api-scheduled background bindings
  bindings-http bindings-local-storage call-number calls-shown configuration-reload crash-calls daeploy-stop
  dashboard-listener default-components deploy doctor endpoint-secrets events-wait examples exec few-descriptors
  fixed-port graph grpc grpc-configuration grpc-pubsub-deep import import-carries import-check jobs lazy-starts
  lazy-verbs lazy-ways lazy-work lifecycle-policies lines-left-out logs-floods logs-kept logs-of-copies logs-size
  old-logs otel own-numbers public-api published-edits published-flow published-http2 published-port pubsub-delivery
  pubsub-redis pubsub-waits redis reload-posts replay run-odd-entries runs secrets single-lines stop-ways
  template-edits-kept template-edits-waits tracing up-detached up-run-reports upgraded-meanwhile url usage
  versions-edited watch-files`
    .split(/\s+/)
    .map(name => `test/e2e/${name}.test.ts`)

/** What `npm test` runs: it needs nothing but Node and npm. */
export const QUICK: Part = {
  tests: [...LONG_WAITS, 'src/packages', 'test/unit', 'test/integration', 'test/e2e'],
  except: BY_EXECUTABLE_ALONE,
  minutes: 5,
  what: 'what each change must pass'
}

/** What `npm run test:all` runs besides, and `npm run test:all -- NAME` alone. */
export const PARTS: Readonly<Record<string, Part>> = {
  browser: {
    tests: first('browser', ['narrow', 'graph', 'apps', 'page', 'keys']),
    minutes: 2,
    what: 'the dashboard’s page, and names of apps, in a browser',
    jobs: availableParallelism() + 1, // a browser alone fills a core
    needs: [{program: 'certutil', debian: 'libnss3-tools'}]
  },
  docs: {
    tests: ['test/docs'],
    minutes: 3,
    what: 'examples, and each command and output of the manual',
    needs: [PYTHON, GO, JAVA, CURL, {program: 'redis-cli', debian: 'redis-server'}]
  },
  servers: {
    tests: first('servers', ['kafka', 'killed-brokers', 'rabbitmq', 'celery', 'worktrees']),
    minutes: 4,
    what: 'components against Kafka, RabbitMQ, PostgreSQL, Redis and daprd; worktrees with their databases; a day with servers and four languages',
    needs: [
      PYTHON,
      GO,
      JAVA,
      MAVEN,
      REDIS,
      {program: 'rabbitmq-server', debian: 'rabbitmq-server', at: '/usr/lib/rabbitmq/bin'},
      {program: 'psql', debian: 'postgresql'},
      {program: 'mariadbd', debian: 'mariadb-server', at: '/usr/sbin'},
      {program: 'mariadb-backup', debian: 'mariadb-backup'},
      {program: 'nats-server', debian: 'nats-server', at: '/usr/sbin'},
      {program: 'mkfs.xfs', debian: 'xfsprogs', at: '/usr/sbin'},
      {program: 'sqlite3', debian: 'sqlite3'}
    ]
  },
  sdks: {
    tests: first('sdks', ['daeploy-cli', 'agents', 'launchers', 'schedules']),
    minutes: 6,
    what: 'programs of Dapr’s and Daeploy’s SDKs',
    needs: [PYTHON, GO]
  },
  java: {tests: ['test/java'], minutes: 2, what: 'programs of Dapr’s SDK for Java', needs: [JAVA, MAVEN]},
  kubernetes: {
    tests: ['test/kubernetes'],
    minutes: 7,
    what: 'templates on Kubernetes’ API server, which is built once',
    builds: [['node', 'test/kubernetes/build.ts']],
    needs: [GO, {program: 'kubectl', debian: 'kubernetes-client'}]
  },
  executable: {
    tests: BY_EXECUTABLE_ALONE,
    minutes: 4,
    what: 'end-to-end tests of the single executable that `npm test` leaves out',
    ...OF_EXECUTABLE
  },
  long: {
    tests: first('long', ['mcp', 'days', 'many-reminders', 'ui', 'orphans-single', 'live', 'end', 'copies-bad-input']),
    minutes: 18,
    what: 'the single executable in many cases, floods, storms',
    needs: [BUSYBOX],
    ...OF_EXECUTABLE
  },
  release: {
    tests: ['test/release'],
    minutes: 5,
    what: 'the files of a release, installed and run: in Debian, in a root of musl, from a registry of npm, for arm64',
    before: [
      ['node', 'scripts/release.js', 'linux-x64'],
      ['node', 'scripts/binary.js', 'linux-arm64']
    ],
    builds: [['node', 'test/release/roots.ts']],
    needs: [
      PYTHON,
      GO,
      CURL,
      {program: 'debootstrap', debian: 'debootstrap', at: '/usr/sbin'},
      {program: 'rpm', debian: 'rpm'},
      BUSYBOX,
      {program: 'libdeflate-gzip', debian: 'libdeflate-tools'},
      {program: 'qemu-aarch64-static', debian: 'qemu-user-static'},
      {program: 'lib/ld-linux-aarch64.so.1', debian: 'libc6-arm64-cross', at: '/usr/aarch64-linux-gnu'},
      {program: 'lib/libstdc++.so.6', debian: 'libstdc++6-arm64-cross', at: '/usr/aarch64-linux-gnu'},
      {program: 'lib/libatomic.so.1', debian: 'libatomic1-arm64-cross', at: '/usr/aarch64-linux-gnu'}
    ]
  },
  disguise: {
    tests: OF_PLATFORM,
    minutes: 4,
    what: 'the built program where this machine looks like macOS to it',
    before: [['node', 'test/runner/disguise.ts']],
    env: {PILLION: join(import.meta.dirname, '../../build/disguise/pillion')},
    needs: [GO]
  }
}
