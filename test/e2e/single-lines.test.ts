import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test('lines of the sidecar: with flags that ask for them, as daprd prints them; else only what is wrong', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/store.yaml': component('store', 'state.in-memory'),
    'config.yaml': JSON.stringify({
      kind: 'Configuration',
      spec: {logging: {apiLogging: {enabled: true, obfuscateURLs: true}}}
    })
  })
  const start = /level=info msg="Internal gRPC server is running on :\d+" app_id=a .*scope=dapr\.runtime /
  const loaded = /level=info msg="Component loaded: store \(state\.in-memory\/v1\)" app_id=a /
  const api = /level=info msg="HTTP API Called" app_id=a .*method="PUT \/v1\.0\/metadata\/appPID"/
  const all = [start, loaded, api]
  const resources = ['--resources-path', 'resources']
  const cases: readonly (readonly [flags: readonly string[], shown: readonly RegExp[]])[] = [
    [['--enable-api-logging', ...resources], all],
    [
      ['--log-level', 'debug', ...resources],
      [start, loaded]
    ],
    [['--log-level', 'warn', '--enable-api-logging', ...resources], []],
    [resources, [loaded]],
    [['--dapr-internal-grpc-port', '0'], [start]],
    [['--config', 'config.yaml'], [/level=info msg="HTTP API Called" app_id=a .*method=PutMetadata/]],
    [
      ['--log-as-json'],
      [/^\{"app_id":"a",.*"level":"info","msg":"Internal gRPC server is running on :\d+".*"type":"log"/m]
    ],
    [[], []]
  ]
  for (const [flags, shown] of cases) {
    const {code, stdout} = await rig.run(['run', '-a', 'a', ...flags, '--', 'true'])
    t.equal(code, 0, flags.join(' '))
    for (const line of shown) t.match(stdout, line, flags.join(' '))
    for (const line of all) if (!shown.includes(line)) t.notMatch(stdout, line, flags.join(' '))
    t.match(stdout, 'Exited Dapr successfully')
  }
  const failed = /^time="[^"]+" level=error msg="Failed to init component store \(state\.sqlite\/v1\)/m
  for (const ignoreErrors of [true, false]) {
    const broken = component('store', 'state.sqlite', {connectionString: 'none/data.db'}, {ignoreErrors})
    await rig.write({'resources/store.yaml': broken})
    const run = await rig.run(['run', '-a', 'a', '--resources-path', 'resources', '--', 'true'])
    t.equal(run.code, ignoreErrors ? 0 : 1)
    t.match(run.stdout, failed)
    if (ignoreErrors) continue
    t.match(run.stdout, /^time="[^"]+" level=fatal msg="Fatal error from runtime: process component store error: /m)
    t.match(run.stderr, /"a" was not started: the component store/)
    t.notMatch(run.stdout, 'Exited App', 'it has never run')
  }
})
