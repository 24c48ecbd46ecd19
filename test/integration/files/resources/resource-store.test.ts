import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'
import fs, {mkdirSync, rmSync} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
import {join} from 'node:path'
import t from 'tap'
import {DEFAULT_CONFIGURATION} from '../../../../src/files/resources/defaults.ts'
import {appPolicies} from '../../../../src/files/resources/resiliency/resiliency.ts'
import type {AppResources, ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import {ResourceStore} from '../../../../src/files/resources/resource-store.ts'
import {isAccessAllowed} from '../../../../src/files/resources/workflow-access.ts'
import {tracesNothing} from '../../../../src/files/resources/tracing-settings.ts'
import {scene} from './scene.ts'

const resiliency = (timeout: string, more = ''): string =>
  `kind: Resiliency\nmetadata: {name: main}\nspec:\n  policies:\n    timeouts: {general: ${timeout}}\n  targets:\n    apps:\n      stock: {timeout: general${more}}\n`

const endpoint = (name: string, more = ''): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: ${name}}\nspec: {baseUrl: http://x}\n${more}`

const timeoutOf = ({snapshot}: {snapshot: ResourceSnapshot}): number =>
  appPolicies(snapshot.resiliency, 'stock').timeoutMs

t.test('in a copy with other ports, endpoints and collectors of spans have the ports of this copy', async t => {
  const moved = new Map([
    [9411, 29411],
    [4317, 24317],
    [8090, 28090]
  ])
  const files = {
    'r/a.yaml': endpoint('one').replace('http://x', 'http://localhost:8090/v1'),
    'config.yaml':
      'kind: Configuration\nspec: {tracing: {zipkin: {endpointAddress: "http://localhost:9411/api/v2/spans"}, otel: {endpointAddress: "127.0.0.1:4317", protocol: grpc}}}\n'
  }
  const {snapshot} = await scene(t, files, {}, moved).open()
  t.match(snapshot.endpoints, [{baseUrl: 'http://localhost:28090/v1'}])
  t.match(snapshot.configuration.tracing, {
    zipkinUrl: 'http://localhost:29411/api/v2/spans',
    otlp: {endpoint: '127.0.0.1:24317'}
  })
})

t.test('the snapshot of an app: what its folders hold that is for it, and its Configuration', async t => {
  const {open, warnings} = scene(t, {
    'r/a.yaml': resiliency('5s'),
    'r/b.yml': `${endpoint('one')}---\n${endpoint('two', 'scopes: [other]\n')}`,
    'r/c.yaml': 'kind: Component\nmetadata: {name: state}\nspec: {type: state.redis}\napiVersion: dapr.io/v1alpha1\n',
    'r/notes.txt': endpoint('text'),
    'config.yaml': 'kind: Configuration\nspec: {tracing: {samplingRate: "0"}, accessControl: {defaultAction: deny}}\n'
  })
  const shop = await open()
  t.equal(timeoutOf(shop), 5000)
  t.strictSame(
    shop.snapshot.endpoints.map(({name}) => name),
    ['one']
  )
  t.match(shop.snapshot.configuration, {accessControl: {defaultAction: 'deny'}, tracing: {samplingRate: '0'}})
  t.ok(tracesNothing(shop.snapshot.configuration.tracing))
  const other = await open('other')
  t.strictSame(
    other.snapshot.endpoints.map(({name}) => name),
    ['one', 'two']
  )
  t.strictSame(warnings, [])
})

t.test('nothing is there', async t => {
  const {open, store, warnings} = scene(t, {})
  t.match((await open()).snapshot, {endpoints: [], configuration: DEFAULT_CONFIGURATION, faults: []})
  t.strictSame(warnings, [])
  t.strictSame(store.followed.folders, [])
})

t.test('what restricts calls and is not enforced is named with its place', async t => {
  const {open} = scene(t, {'config.yaml': 'spec:\n  mtls: {enabled: true}\n  httpPipeline: {handlers: []}\n'})
  t.match((await open()).snapshot.configuration.unenforced, [{key: 'mtls', place: {line: 2}}])
})

t.test('a file that changes: who has it hears of it, with all that is as before in the same objects', async t => {
  const {open, store, write, folder} = scene(t, {'r/a.yaml': resiliency('5s'), 'r/b.yaml': endpoint('one')})
  const shop = await open()
  const heard: ResourceSnapshot[] = []
  shop.onChange(snapshot => heard.push(snapshot))
  const {endpoints, configuration} = shop.snapshot
  await store.refresh()
  t.equal(heard.length, 0, 'nothing has changed')
  write('r/a.yaml', resiliency('7s'))
  await store.refresh()
  t.equal(heard.length, 1)
  t.equal(timeoutOf(shop), 7000)
  t.equal(shop.snapshot.endpoints, endpoints)
  t.equal(shop.snapshot.configuration, configuration)
  write('config.yaml', 'spec: {tracing: {samplingRate: "0"}}\n')
  const {resiliency: kept} = shop.snapshot
  await store.refresh()
  t.equal(shop.snapshot.configuration.tracing.samplingRate, '0')
  t.equal(shop.snapshot.resiliency, kept)
  write('r/c.yaml', endpoint('new'))
  rmSync(join(folder, 'r/b.yaml'))
  await store.refresh()
  t.strictSame(
    shop.snapshot.endpoints.map(({name}) => name),
    ['new']
  )
  shop.close()
  write('r/a.yaml', resiliency('9s'))
  await store.refresh()
  t.equal(heard.length, 3, 'not after it is closed')
})

t.test('a file that is saved before another app comes: who had it hears of it, too', async t => {
  const {open, store, write} = scene(t, {'r/a.yaml': resiliency('5s')})
  const shop = await open()
  write('r/a.yaml', resiliency('7s'))
  t.equal(timeoutOf(await open('other')), 7000)
  await store.refresh() // as the watcher does for this save
  t.equal(timeoutOf(shop), 7000)
})

t.test('a file that becomes broken keeps its last good content, and says once where it is broken', async t => {
  const {open, store, write, warnings} = scene(t, {
    'r/a.yaml': resiliency('5s'),
    'config.yaml': 'spec: {metrics: {enabled: false}}'
  })
  const [shop] = [await open(), await open('other')]
  const cases: readonly (readonly [string, RegExp])[] = [
    [resiliency('soon'), /^resource-not-used r\/a\.yaml:5:25: .*soon/],
    ['kind: Resiliency\nspec: [\n', /^resource-not-used r\/a\.yaml:\d:\d+: not valid YAML/],
    [
      `kind: Resiliency\n${'#'.repeat(2 ** 20)}`,
      /^resource-not-used r\/a\.yaml:1:1: it cannot be read: it is larger than 1 MiB/
    ]
  ]
  for (const [text, expected] of cases) {
    write('r/a.yaml', text)
    await store.refresh()
    await store.refresh()
    t.equal(timeoutOf(shop), 5000)
    t.equal(warnings.length, 1)
    t.match(warnings.pop(), expected)
    t.equal(shop.snapshot.faults.length, 1)
  }
  write('config.yaml', 'spec: {metrics: {enabled: 3}}')
  await store.refresh()
  t.equal(shop.snapshot.configuration.metrics.isEnabled, false)
  t.match(warnings.splice(0), [/^resource-not-used config\.yaml:1:/])
  write('r/a.yaml', resiliency('6s'))
  await store.refresh()
  t.equal(timeoutOf(shop), 6000)
  t.strictSame(warnings, [])
  write('r/a.yaml', resiliency('soon'))
  await store.refresh()
  t.equal(warnings.length, 1, 'told again after it was mended')
})

t.test('an error at the start: the rest of the resources holds', async t => {
  const {open, warnings} = scene(t, {'r/a.yaml': resiliency('soon'), 'r/b.yaml': resiliency('3s', ', retry: never')})
  t.equal(timeoutOf(await open()), 3000)
  t.match(warnings, [/a\.yaml:5:25/, /targets\.apps\.stock names retry "never", which is not in policies\.retries/])
})

t.test('variables of the environment in a Configuration; a fault shows the text as it is written', async t => {
  const text = 'spec:\n  tracing: {samplingRate: "${RATE}", zipkin: {endpointAddress: $SECRET}}\n'
  const {open, warnings} = scene(t, {'config.yaml': text}, {RATE: '0.5', SECRET: 'hidden'})
  const {snapshot} = await open()
  t.match(snapshot.faults, [{place: {line: 2, source: text.split('\n')[1]}}])
  t.match(warnings, [/is no URL/])
  t.notMatch(warnings, [/hidden/])
})

t.test('OTEL variables hold where the Configuration names no endpoint', async t => {
  const {open} = scene(t, {}, {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4317'})
  t.match((await open()).snapshot.configuration.tracing, {samplingRate: '1', otlp: {endpoint: 'localhost:4317'}})
})

t.test('a folder with many files, and what is no file', async t => {
  const many = Object.fromEntries(
    Array.from({length: 50}, (_, n) => [`r/${n.toString().padStart(2, '0')}.yaml`, endpoint(`e${n}`)])
  )
  const {open, folder, warnings} = scene(t, many)
  mkdirSync(join(folder, 'r/folder.yaml'))
  t.equal((await open()).snapshot.endpoints.length, 50)
  t.match(warnings, [/r\/folder\.yaml:1:1: it cannot be read: it is a directory/])
})

t.test('what Dapr knows and does nothing here is named, of the folders that somebody has asked for', async t => {
  const {open, store, warnings, folder} = scene(t, {
    'r/a.yaml': [
      'kind: Component\nmetadata: {name: orders}\nspec: {type: pubsub.pulsar}\napiVersion: dapr.io/v1alpha1\n',
      'kind: Component\nmetadata: {name: theirs}\nspec: {type: state.redis}\nscopes: [other]\napiVersion: dapr.io/v1alpha1\n',
      'apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata: {name: sub}\n',
      'apiVersion: dapr.io/v1alpha1\nkind: HttpEndpont\nmetadata: {name: typo}\n',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kubernetes}\n',
      'kind: Configuration\nmetadata: {name: lost}\n'
    ].join('---\n'),
    'r/b.yaml': `${resiliency('5s')}    actors: {order: {timeout: general}}\n`,
    'config.yaml':
      'kind: Configuration\nspec: {nameResolution: {component: sqlite}, features: [{name: ActorStateTTL, enabled: true}], tracign: {}}\n'
  })
  const {snapshot} = await open()
  t.strictSame(
    snapshot.withoutEffect.map(({what, why, place}) => `${place.file}:${place.line} ${what}: ${why}`),
    [
      'r/a.yaml:2 Component "orders" (pubsub.pulsar): this type is not supported yet',
      'r/a.yaml:13 MCPServer "sub": it is not supported yet',
      'r/a.yaml:17 HttpEndpont "typo": its kind is not known: did you mean HTTPEndpoint?',
      'r/a.yaml:24 Configuration "lost": only the file that configFilePath or --config names is read',
      'config.yaml:2 spec.nameResolution: it is not supported yet'
    ]
  )
  t.match(warnings, [/config\.yaml:2:.*: unknown key spec\.tracign: it has no effect \(did you mean tracing\?\)/])
  t.equal(store.withoutEffect.length, 5)
  const resources = {folders: [join(folder, 'r')], configFile: '', defaultFolder: folder}
  const usual = new ResourceStore({
    env: {},
    cwd: '/',
    reporter: {warn: () => undefined},
    types: async () => componentType
  })
  await usual.open({id: 'shop', resources})
  t.strictSame(usual.withoutEffect, [], 'not of what lies in Dapr’s own folder')
})

t.test('a Configuration in the resources counts where any app names its file, as do Components behind it', async t => {
  const files = {
    'r/all.yaml': [
      'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: all}\nspec: {tracing: {samplingRate: "${RATE}"}}\n',
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: orders}\nspec: {type: state.in-memory, version: v1}\n'
    ].join('---\n')
  }
  const {store, folder, open} = scene(t, files, {RATE: '1'})
  const configFile = join(folder, 'r', 'all.yaml')
  const resources = {folders: [join(folder, 'r')], configFile, defaultFolder: '/home/.dapr'}
  t.strictSame(namesIn(await open('before')), ['orders'])
  const named = await store.open({id: 'named', resources})
  t.strictSame([named.snapshot.configuration.tracing.samplingRate, namesIn(named)], ['1', ['orders']])
  t.strictSame(namesIn(await open('behind')), ['orders'])
  t.strictSame(store.withoutEffect, [], 'one of them names the file')
  t.strictSame(named.snapshot.references, [], 'its variables are replaced')
})

const namesIn = ({snapshot}: AppResources): readonly string[] => snapshot.components.map(({name}) => name)

const policy = (operation: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: WorkflowAccessPolicy\nmetadata: {name: guard}\nscopes: [bank]\nspec:\n  rules:\n  - callers: [{appID: shop}]\n    workflows: [{name: pay, operations: [${operation}]}]\n`

t.test('a WorkflowAccessPolicy is for apps of its scopes, counts as it is, and holds for a stopped one', async t => {
  const {open, store, write, warnings} = scene(t, {'r/guard.yaml': policy('schedule')})
  await open('shop')
  const bank = await open('bank')
  const may = (app: string): boolean =>
    isAccessAllowed(store.snapshotOf(app)?.accessPolicies ?? [], {
      caller: 'shop',
      kind: 'workflows',
      operation: 'purge',
      name: 'pay'
    })
  t.ok(may('shop'))
  t.notOk(may('bank'))
  t.equal(store.accessPolicies.size, 1)
  bank.close()
  t.notOk(may('bank'))
  write('r/guard.yaml', policy('schedule, purge'))
  await store.refresh()
  t.ok(may('bank'), 'as it is saved while the app is stopped')
  const [again, other] = [await open('bank'), await open('bank')]
  write('r/guard.yaml', policy('schedule'))
  await store.refresh()
  t.notOk(may('bank'))
  again.close()
  other.close()
  t.notOk(may('bank'))
  store.appRemoved('bank')
  t.equal(store.snapshotOf('bank'), undefined)
  t.strictSame(store.withoutEffect, [])
  t.strictSame(warnings, [])
})

t.test('of an app that leaves the run nothing is kept, also where its sidecar closes later', async t => {
  const {open, store} = scene(t, {'r/guard.yaml': policy('schedule')})
  const bank = await open('bank')
  store.appRemoved('bank')
  bank.close()
  t.equal(store.snapshotOf('bank'), undefined)
  t.strictSame(store.followed.folders, [])
})

t.test('of an app that an edit opens again the newest resources count, in whatever order sidecars close', async t => {
  const {store, folder, write} = scene(t, {'r/guard.yaml': policy('schedule')})
  mkdirSync(join(folder, 'next'))
  write('next/guard.yaml', policy('purge'))
  const from = (name: string) => ({folders: [join(folder, name)], configFile: '', defaultFolder: '/home/.dapr'})
  for (const id of ['bank', 'bank-too']) {
    const before = await store.open({id, resources: from('r')})
    const after = await store.open({id, resources: from('next')})
    t.equal(store.snapshotOf(id), after.snapshot)
    for (const each of id === 'bank' ? [before, after] : [after, before]) {
      each.close()
      t.equal(store.snapshotOf(id), after.snapshot)
    }
  }
  t.strictSame(store.followed.folders, [join(folder, 'next')])
})

t.test('a Configuration among the resources that configFilePath names is read as such', async t => {
  const folder = t.testdir({'config.yaml': 'kind: Configuration\nspec: {tracing: {samplingRate: "0"}}\n'})
  const store = new ResourceStore({
    env: {},
    cwd: folder,
    reporter: {warn: () => undefined},
    types: async () => componentType
  })
  const resources = {folders: [folder], configFile: join(folder, 'config.yaml'), defaultFolder: '/home/.dapr'}
  const {snapshot} = await store.open({id: 'shop', resources})
  t.strictSame(snapshot.withoutEffect, [])
  t.ok(tracesNothing(snapshot.configuration.tracing))
})

t.test('files that cannot be listed, as no descriptor is free, stay in use', async t => {
  const folder = t.testdir({r: {'a.yaml': resiliency('5s')}})
  const [store, types] = ['files/resources/resource-store.ts', 'dapr/components/block-types.ts'].map(name =>
    import.meta.resolve(`../../../../src/${name}`)
  )
  await t.resolves(
    withFewDescriptors(`
      const [{ResourceStore}, {componentType}] = [await import('${store}'), await import('${types}')]
      const store = new ResourceStore({env: {}, cwd: '${folder}', reporter: {warn: () => undefined}, types: async () => componentType})
      const resources = {folders: ['${join(folder, 'r')}'], configFile: '', defaultFolder: '/home/.dapr'}
      const shop = await store.open({id: 'shop', resources})
      const timeout = () => shop.snapshot.resiliency.policies.timeouts.get('general')
      equal(timeout(), 5000)
      fill()
      await rejects(store.refresh(), {code: 'EMFILE'})
      free()
      equal(timeout(), 5000)
      await store.refresh()
    `)
  )
})

t.test('a change that is read before another folder cannot be listed comes with the next refresh', async t => {
  const {folder, store, open, write} = scene(t, {'r/a.yaml': resiliency('5s')})
  const shop = await open()
  await store.refresh() // what the opening has read is told
  write('r/a.yaml', resiliency('7s'))
  const {readdirSync} = fs
  const restore = (): void => {
    Object.assign(fs, {readdirSync})
    syncBuiltinESMExports()
  }
  t.teardown(restore)
  const listed = (path: string): readonly string[] => {
    if (path === join(folder, 'none')) throw Object.assign(new Error('EMFILE: too many open files'), {code: 'EMFILE'})
    return readdirSync(path)
  }
  Object.assign(fs, {readdirSync: listed})
  syncBuiltinESMExports()
  await t.rejects(store.refresh(), {code: 'EMFILE'})
  restore()
  await store.refresh()
  t.equal(timeoutOf(shop), 7000)
})
