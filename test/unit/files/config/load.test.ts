import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import {loadTemplate} from '../../../../src/files/config/load.ts'
import {failure, load, loadIn, openShop, orders} from './shop.ts'

const BEFORE = 'Error getting apps from config file: '

const missing = (path: string): string =>
  `error in getting the file info for ${path}: stat ${path}: no such file or directory`

const brokenStdin = (): string => {
  throw new Error('read -: input/output error')
}

t.test('a mistake is told in the words of Dapr, on its stream', async t => {
  const parsing = 'error in parsing the provided app config file: yaml: unmarshal errors:\n  '
  const table: readonly (readonly [string, string])[] = [
    ['', "required field 'version' not found in the provided run template file"],
    ['apps: []', "required field 'version' not found in the provided run template file"],
    ['version: 0', "required field 'version' not found in the provided run template file"],
    ['version: "1"', `${parsing}line 1: cannot unmarshal !!str \`1\` into int`],
    ['version: 1\napps:\n  orders: {}', `${parsing}line 3: cannot unmarshal !!map into []runfileconfig.App`],
    ['version: 1\napps: [{appID: a}]', "required field 'appDirPath' not found in the provided app config file"],
    ['version: 1\napps: [~]', "required field 'appDirPath' not found in the provided app config file"],
    ['version: 1\napps: [{appDirPath: ""}]', "required field 'appDirPath' not found in the provided app config file"],
    ['version: 1\napps: [{appDirPath: ./chekout}]', missing('$/chekout')],
    [
      'version: 1\napps: [{appDirPath: ./orders/app.mjs/x}]',
      'error in getting the file info for $/orders/app.mjs/x: stat $/orders/app.mjs/x: not a directory'
    ],
    ['version: 1\napps: [{appDirPath: ./orders/app.mjs}]', 'appDirPath is not a directory: $/orders/app.mjs'],
    [orders('resourcesPath: ./app.mjs'), 'resourcesPath is not a directory: $/orders/app.mjs'],
    [orders('resourcesPaths: [., ./app.mjs]'), 'resourcesPaths is not a directory: $/orders/app.mjs'],
    [orders('appPort: "7001"'), `${parsing}line 5: cannot unmarshal !!str \`7001\` into int`],
    [orders('appPort: abc'), `${parsing}line 5: cannot unmarshal !!str \`abc\` into int`],
    [orders('', 'command: node app.mjs'), `${parsing}line 6: cannot unmarshal !!str \`node ap...\` into []string`],
    [orders('', 'env: ["A=1"]'), `${parsing}line 6: cannot unmarshal !!seq into map[string]string`],
    [orders('', 'resourcesPaths: ./x'), `${parsing}line 6: cannot unmarshal !!str \`./x\` into []string`],
    [orders('appLogDestination: screen'), 'invalid log destination type: screen'],
    [orders('daprdLogDestination: File'), 'invalid log destination type: File'],
    [
      orders('containerImagePullPolicy: Sometimes'),
      'invalid containerImagePullPolicy: Sometimes, allowed values: Always, Never, IfNotPresent'
    ],
    [orders('resourcesPath: ./nothere'), missing('$/orders/nothere')],
    [orders('resourcesPaths: [".", ./nothere]'), missing('$/orders/nothere')],
    [orders('configFilePath: ./nothere.yaml'), missing('$/orders/nothere.yaml')],
    [orders('runtimePath: /nothere'), missing('/nothere')],
    [orders('resourcesPath: ~/res'), missing('$/home/res')],
    ['version: 1\ncommon: {resourcesPath: ./nothere}', missing('$/nothere')],
    ['version: 1\ncommon: {configFilePath: ./nothere.yaml}', missing('$/nothere.yaml')]
  ]
  for (const [yaml, message] of table) {
    const error = failure(t, yaml)
    t.strictSame([error.message, error.stream, error.exitCode], [BEFORE + message, 'stdout', 1], yaml)
    t.match(error.explanation, /^dapr\.yaml:\d+:\d+/, `${yaml}: has a place`)
  }
})

t.test('what Dapr checks at the turn of an app is told on stderr, with the app and the template', async t => {
  const form = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  const table: readonly (readonly [string, string])[] = [
    ['logLevel: panic', 'invalid value for --log-level: panic'],
    ['maxBodySize: 4MB', `invalid max request body size: ${form}`],
    ['maxBodySize: 4Mm', "invalid max request body size: unable to parse quantity's suffix"],
    ['readBufferSize: big', `invalid http read buffer size: ${form}`],
    ['daprHTTPPort: 70000', 'invalid configuration for HTTPPort. Port 70000 is not available'],
    ['daprGRPCPort: 70000', 'invalid configuration for GRPCPort. Port 70000 is not available'],
    ['metricsPort: 70000', 'invalid configuration for MetricsPort. Port 70000 is not available'],
    ['daprInternalGRPCPort: 70000', 'invalid configuration for InternalGRPCPort. Port 70000 is not available']
  ]
  for (const [line, message] of table) {
    const error = failure(t, orders(line))
    const before = 'Error validating run config for app "orders" present in dapr.yaml: '
    t.strictSame([error.message, error.stream, error.exitCode], [before + message, 'stderr', 1], line)
    t.match(error.explanation, /^dapr\.yaml:5:\d+\n/, `${line}: has a place`)
  }
  const profile = failure(t, orders('enableProfiling: true', 'profilePort: 70000'))
  t.match(profile.message, 'invalid configuration for ProfilePort. Port 70000 is not available')
  t.equal(load(t, orders('profilePort: 70000')).plan.apps[0]?.elsewhere.profilePort, 'none')
})

t.test('a fault of syntax is told with its line', async t => {
  const {message, stream, explanation} = failure(t, 'version: 1\napps:\n  - appID: a\n   appDirPath: x\n')
  t.match(
    message,
    /^Error getting apps from config file: error in parsing the provided app config file: yaml: line 4: ./
  )
  t.equal(stream, 'stdout')
  t.match(explanation, /^dapr\.yaml:4:4\n {3}appDirPath: x\n {3}\^/)
  t.match(failure(t, 'version: 1\napps:\n\t- a: b\n').explanation, /^dapr\.yaml:3:1\n\t- a: b\n\^/)
  t.match(failure(t, 'version: 1\nname: [a,\n').explanation, /^dapr\.yaml:2:7\nname: \[a,\n {6}\^/)
})

t.test('a template that is nested too deeply has its mistake where that begins, whatever follows', async t => {
  const place = (yaml: string): string => {
    const {message, explanation} = failure(t, yaml)
    t.match(message, /: yaml: line \d+: it is nested too deeply$/)
    return explanation.split('\n', 1)[0] ?? ''
  }
  const deep = 100_000
  for (const end of ['', ']'.repeat(deep)]) t.equal(place('['.repeat(deep) + end), 'dapr.yaml:1:502')
  t.equal(place(`version: 1\nx: ${'{a: '.repeat(deep)}`), 'dapr.yaml:2:2001')
  for (const mark of ['- ', '? ']) t.equal(place(mark.repeat(deep)), 'dapr.yaml:1:1003')
  // a mistake before it is the first one
  t.match(failure(t, `a: ]\nb: ${'['.repeat(deep)}`).explanation, /^dapr\.yaml:1:4\n/)
  t.match(failure(t, '['.repeat(400)).explanation, /^dapr\.yaml:1:400\n.*\n.*\nclose it with \]/)
})

t.test('without apps there is nothing to run, but for an empty manager', async t => {
  for (const [yaml, place] of [
    ['version: 1', 'dapr.yaml:1:1\nversion: 1\n^\n'],
    ['version: 1\napps: []', 'dapr.yaml:2:1\napps: []\n^^^^\n'],
    ['version: 2\ncommon:\napps:\n', 'dapr.yaml:3:1\napps:\n^^^^\n']
  ] as const) {
    const {message, stream, explanation, exitCode} = failure(t, yaml)
    const whole = `${place}expected apps: a list of apps, each after a dash`
    t.strictSame([message, stream, explanation, exitCode], ['No apps to run', 'stdout', whole, 1], yaml)
  }
  const {plan} = load(t, 'version: 1\nmanagerPort: 0')
  t.strictSame([plan.managerPort, plan.apps], [0, []])
})

t.test('hints: what to write, and what was probably meant', async t => {
  const table: readonly (readonly [string, string])[] = [
    [
      orders('command: node  app.mjs'),
      'dapr.yaml:5:14\n    command: node  app.mjs\n             ^^^^^^^^^^^^^\nexpected a list of texts\nwrite command as a list: ["node", "app.mjs"]'
    ],
    [orders('resourcesPaths: ./a b'), 'write resourcesPaths as a list: ["./a b"]'],
    [orders('appPort: "7001"'), 'expected a whole number\nwrite it without quotes: 7001'],
    [orders('env: [A=1]'), 'expected a map of names to values\nwrite env as a map: {NAME: value}'],
    [
      'version: 1\napps:\n  - appDirPath: ./chekout',
      'dapr.yaml:3:17\n  - appDirPath: ./chekout\n                ^^^^^^^^^\ndid you mean checkout?'
    ],
    [
      'version: 1\napps:\n  - appID: a\n    appPort: 1',
      'dapr.yaml:3:5\n  - appID: a\n    ^^^^^^^^\nexpected appDirPath: the folder of this app'
    ],
    ['# shop\napps: []', 'dapr.yaml:1:1\n# shop\n^\nwrite version: 1 at the top'],
    [
      orders('resourcesPaths:', '  - .', '  - ./nothere'),
      'dapr.yaml:7:9\n        - ./nothere'.replace('        -', '      -')
    ]
  ]
  for (const [yaml, text] of table) t.match(failure(t, yaml).explanation, text, yaml)
})

t.test('a template from standard input starts in the folder of the call', async t => {
  const cwd = openShop(t, '')
  const around = {cwd, home: cwd, env: {}, readStdin: () => orders('appPort: 1')}
  const {plan} = await loadTemplate('-', around, {watch: false})
  t.strictSame([plan.file, plan.shownAs, plan.apps[0]?.folder], [join(cwd, '-'), '-', join(cwd, 'orders')])
  const message = `${BEFORE}error in reading the provided app config from stdin: read -: input/output error`
  await t.rejects(loadTemplate('-', {...around, readStdin: brokenStdin}, {watch: false}), {message, stream: 'stdout'})
})

t.test('a template that cannot be read is told as it was typed', async t => {
  const cwd = t.testdir({'dir.yaml': {'dapr.yaml': {}}, 'secret.yaml': ''})
  const around = {cwd, home: cwd, env: {}, readStdin: () => ''}
  const reading = `${BEFORE}error in reading the provided app config file: `
  await t.rejects(loadTemplate('dir.yaml', around, {watch: false}), {
    message: `${reading}read dir.yaml/dapr.yaml: is a directory`,
    stream: 'stdout'
  })
  chmodSync(join(cwd, 'secret.yaml'), 0)
  const isRoot = process.getuid?.() === 0
  await t.rejects(loadTemplate('./secret.yaml', around, {watch: false}), {
    message: isRoot ? /'version' not found/ : `${reading}open ./secret.yaml: permission denied`
  })
  await t.rejects(loadTemplate('nothere.yaml', around, {watch: false}), UserError)
})

t.test('a template begins behind a byte order mark', async t => {
  t.equal(load(t, `\uFEFF${orders()}`).plan.apps.length, 1)
  t.match(failure(t, '\uFEFFversion: x').explanation, 'dapr.yaml:1:10\nversion: x\n         ^')
})

t.test('a template of a quickstart is loaded whole', async t => {
  const yaml = [
    'version: 1',
    'common:',
    '  resourcesPath: ./components',
    'apps:',
    '  - appID: order-processor',
    '    appDirPath: ./orders/',
    '    appPort: 6001',
    '    command: ["node", "app.mjs"]',
    '  - appDirPath: checkout',
    '    command: ["npm", "run", "start"]'
  ]
  const folder = openShop(t, yaml.join('\n'), {components: {}})
  const {plan, findings} = loadIn(folder)
  const [first, second] = plan.apps
  t.strictSame(findings, [])
  t.strictSame(
    {...plan, apps: []},
    {name: '', file: join(folder, 'dapr.yaml'), shownAs: 'dapr.yaml', atStart: {}, managerPort: 'none', apps: []}
  )
  t.strictSame(first, {
    id: 'order-processor',
    version: '0.0.0',
    folder: join(folder, 'orders/'),
    command: ['node', 'app.mjs'],
    env: {},
    envFiles: [],
    channel: {protocol: 'http', address: '', port: 6001, autoPort: false, maxConcurrency: 0},
    sidecar: {
      httpPort: 0,
      grpcPort: 0,
      internalGrpcPort: 0,
      metricsPort: 0,
      listenAddresses: [],
      socketFolder: '',
      maxBodyBytes: 4_194_304,
      readBufferBytes: 4096,
      apiLogging: false,
      logLevel: 'info'
    },
    health: {enabled: false, path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold: 3},
    logs: {
      app: 'fileAndConsole',
      sidecar: 'file',
      folder: join(folder, 'orders/.dapr/logs'),
      keep: 10,
      size: 64 * 1024 * 1024
    },
    record: {bodyBytes: 16_384, mask: []},
    replay: true,
    ready: {kind: 'tcp', port: 6001, timeoutMs: 60_000},
    restart: 'no',
    watch: {paths: [], ignore: [], honoursGitignore: false},
    reloadsItself: '',
    reload: 'replace',
    stop: {signal: 'SIGTERM', timeoutMs: 5000, first: 'leader', scope: 'all'},
    dependsOn: [],
    instance: 1,
    fixedPort: 0,
    resources: {folders: [join(folder, 'components')], configFile: '', defaultFolder: first?.resources.defaultFolder},
    elsewhere: {
      containerImage: '',
      pullPolicy: 'Always',
      createService: false,
      placementAddress: 'localhost',
      schedulerAddress: 'localhost',
      profilePort: 'none'
    }
  })
  t.match(second, {id: 'checkout', command: ['npm', 'run', 'start'], ready: {kind: 'spawned'}, channel: {port: 0}})
})

t.test('every key comes into the plan', async t => {
  const fixture = join(import.meta.dirname, '../../../fixtures/templates/every-key')
  const {plan, findings} = await loadTemplate(
    fixture,
    {cwd: '/', home: '/nobody', env: {}, readStdin: () => ''},
    {watch: false}
  )
  const app = join(fixture, 'app')
  t.same([...new Set((await findings()).map(({code}) => code))], ['no-effect'])
  t.strictSame(
    {...plan, faults: await plan.faults?.()},
    {
      name: 'every key',
      file: join(fixture, 'dapr.yaml'),
      shownAs: join(fixture, 'dapr.yaml'),
      atStart: {
        name: 'every key',
        bring: ['.env'],
        setup: ['npm', 'ci'],
        teardown: ['npm', 'run', 'clean'],
        managerPort: 5081,
        allowedOrigins: ['https://shop.example'],
        catchUp: 'all',
        names: true,
        conversation: {llm: 'replay'},
        faults: [{from: 'first', to: 'second', method: 'POST', delay: '300ms', status: 503, rate: 0.2, seed: 42}]
      },
      setup: ['npm', 'ci'],
      teardown: ['npm', 'run', 'clean'],
      managerPort: 5081,
      allowedOrigins: ['https://shop.example'],
      catchUp: 'all',
      names: true,
      conversation: {
        llm: {
          mode: 'replay',
          place: {file: join(fixture, 'dapr.yaml'), line: 12, column: 16, source: 'conversation: {llm: replay}'}
        }
      },
      faults: [
        {
          from: 'first',
          to: 'second',
          actor: '',
          method: 'POST',
          path: '',
          delayMs: 300,
          jitterMs: 0,
          kind: 'status',
          status: 503,
          body: '',
          cutAfter: 0,
          rate: 0.2,
          seed: 42,
          times: Infinity,
          forMs: Infinity
        }
      ],
      apps: [
        {
          id: 'first',
          version: '1.2.3',
          folder: app,
          command: ['node', 'app.mjs'],
          env: {FROM_FILE: 'file', BOTH: 'env', COMMON: 'yes', OWN: '0x10'},
          envFiles: [join(app, 'first.env')],
          channel: {protocol: 'https', address: 'localhost', port: 7001, autoPort: false, maxConcurrency: 4},
          sidecar: {
            httpPort: 3501,
            grpcPort: 50_001,
            internalGrpcPort: 50_002,
            metricsPort: 9091,
            listenAddresses: ['127.0.0.1', '::1'],
            socketFolder: join(app, 'sockets'),
            maxBodyBytes: 16_777_216,
            readBufferBytes: 8192,
            apiLogging: true,
            logLevel: 'debug'
          },
          health: {enabled: true, path: '/health', intervalMs: 1000, timeoutMs: 200, threshold: 2},
          logs: {
            app: 'console',
            sidecar: 'fileAndConsole',
            folder: join(app, '.dapr/logs'),
            keep: 3,
            size: 1024 * 1024
          },
          limits: {memoryBytes: 2 ** 30, cpus: 2},
          record: {bodyBytes: 65_536, mask: ['x-customer']},
          replay: false,
          otel: false,
          ready: {kind: 'http', path: '/ready', timeoutMs: 120_000},
          restart: 'on-failure',
          watch: {paths: ['src/**'], ignore: ['**/*.test.ts'], honoursGitignore: false},
          reloadsItself: '',
          reload: 'replace',
          stop: {signal: 'SIGINT', timeoutMs: 250, first: 'leader', scope: 'group'},
          dependsOn: [{id: 'second', until: 'started'}],
          lazy: true,
          idleTimeoutMs: 600_000,
          instance: 1,
          fixedPort: 8001,
          published: {host: '127.0.0.1', number: 5101, inCode: 8001},
          profiles: ['one', 'two'],
          setup: ['make', 'ready'],
          teardown: ['make', 'clean'],
          tty: true,
          host: 'first',
          routes: [{prefix: '/api', app: 'second', strips: false}],
          resources: {
            folders: [join(app, 'res'), join(fixture, 'more')],
            configFile: join(app, 'config.yaml'),
            defaultFolder: plan.apps[0]?.resources.defaultFolder ?? ''
          },
          elsewhere: {
            containerImage: 'example/first:1',
            pullPolicy: 'Never',
            createService: true,
            placementAddress: '',
            schedulerAddress: 'scheduler:1',
            profilePort: 7777
          }
        },
        {
          ...plan.apps[1],
          id: 'second',
          channel: {protocol: 'http', address: '', port: 0, autoPort: true, maxConcurrency: 4},
          reload: 'overlap'
        }
      ]
    }
  )
})
