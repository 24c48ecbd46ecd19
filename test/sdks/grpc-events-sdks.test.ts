import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForGo, daprForJavascript, daprForPython, installed} from './installed.ts'

// The first test of a machine installs the SDKs.
t.setTimeout(800_000)

const SDKS = join(import.meta.dirname, '../fixtures/sdks')

/** What an app of an SDK told of its calls, once it has made all of them. */
async function resultsWith(
  t: Test,
  command: readonly string[],
  more: object
): Promise<Readonly<Record<string, unknown>>> {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const metadata = {redisHost: `localhost:${port}`}
  await rig.write({
    // it keeps what an app publishes before its own subscriptions are made
    'resources/bus.yaml': component('bus', 'pubsub.redis', metadata),
    'resources/settings.yaml': component('settings', 'configuration.redis', metadata),
    'resources/locks.yaml': component('locks', 'lock.redis', metadata),
    'resources/store.yaml': component('store', 'state.redis', metadata),
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'shop/secrets.json': '{"plain":"pear"}'
  })
  await rig.template([
    {
      appID: 'shop',
      command,
      appProtocol: 'grpc',
      autoPort: true,
      resourcesPath: '../resources',
      env: {REDIS_PORT: port, ...more}
    }
  ])
  const run = rig.pillion(['run', '-f', '.'])
  return resultsOf(run)
}

const order = (n: number): object => ({data: {n}, type: 'com.dapr.event.sent', source: 'shop', topic: 'orders'})

const STREAMED = {
  'order-1': order(1),
  'order-2': order(2),
  'order-3': order(3),
  'order-4': order(4),
  streamed: {data: {n: 5}, topic: 'streamed', pubsub: 'bus'},
  handled: {n: 6}
}

const EXPECTED = {
  unknown: /pubsub buss is not found \(did you mean bus\?\)/,
  bulk: 0,
  configuration: {color: ['blue', '1']},
  changed: {color: 'red'},
  unsubscribed: true,
  locked: [true, false]
}

const STORED = {
  'old-etag': {code: 10, message: /possible etag mismatch/},
  state: {a: '1', k: ''},
  secret: {plain: 'pear'}
}

t.test('Dapr’s SDK for Python over gRPC: its App gets events; publishing, streams, configuration, locks', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  t.match(await resultsWith(t, ['python3', join(SDKS, 'events.py')], {PYTHONPATH: folder}), {
    ...STREAMED,
    ...EXPECTED,
    dead: {n: 5},
    unknown: {code: 'INVALID_ARGUMENT', message: EXPECTED.unknown}
  })
})

t.test('Dapr’s SDK for Go over gRPC: state, secrets; events; publishing, streams, configuration, locks', async t => {
  const folder = await installed(t, daprForGo)
  if (folder === undefined) return
  t.match(await resultsWith(t, [join(folder, 'sdks'), 'events'], {}), {
    ...STORED,
    ...STREAMED,
    ...EXPECTED,
    'dead-2': {n: 2},
    'dead-5': {n: 5},
    'stream-end': true
  })
})

for (const version of ['3.6.1', '3.18.0'])
  t.test(`Dapr’s SDK for JavaScript ${version} over gRPC: state, secrets, events, configuration`, async t => {
    const folder = await installed(t, daprForJavascript(version))
    if (folder === undefined) return
    const told = await resultsWith(t, [process.execPath, join(SDKS, 'events.mjs')], {SDK_FOLDER: folder})
    t.match(told, {...STORED, ...EXPECTED, 'order-1': {data: {n: 1}}, 'order-4': {data: {n: 4}}, 'dead-2': {n: 2}})
  })
