import {rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {ResourceStore} from '../../../../src/files/resources/resource-store.ts'
import type {AppResources, ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'

interface Scene {
  readonly store: ResourceStore
  readonly open: (id: string, variables?: Readonly<Record<string, string>>) => Promise<AppResources>
  readonly write: (path: string, text: string) => void
  readonly remove: (path: string) => void
}

/** Resources in `r`, a Configuration in `config.yaml`. */
function scene(t: Test): Scene {
  const folder = t.testdir({r: {}})
  const store = new ResourceStore({
    env: {},
    cwd: folder,
    reporter: {warn: () => undefined},
    types: async () => () => undefined
  })
  const resources = {folders: [join(folder, 'r')], configFile: join(folder, 'config.yaml'), defaultFolder: '/none'}
  return {
    store,
    open: async (id, variables) => store.open({id, resources: {...resources, ...(variables && {variables})}}),
    write: (path, text) => writeFileSync(join(folder, path), text),
    remove: path => rmSync(join(folder, path), {recursive: true})
  }
}

const component = (value: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  type: state.redis\n  metadata:\n  - {name: redisHost, value: ${value}}\n`

const valueOf = ({snapshot}: AppResources): string | undefined => snapshot.components[0]?.properties[0]?.value

const faultsOf = ({snapshot}: {snapshot: ResourceSnapshot}): readonly string[] =>
  snapshot.faults.map(({message}) => message)

const DENYING = 'spec:\n  accessControl: {defaultAction: deny}\n'

t.test('a file that was gone for a while, and is back as it was, has no fault', async t => {
  const {store, open, write, remove} = scene(t)
  write('config.yaml', DENYING)
  write('r/a.yaml', component('one'))
  const shop = await open('shop')
  for (let time = 0; time < 2; time++) {
    remove('config.yaml')
    await store.refresh()
    t.match(faultsOf(shop), [/^it cannot be read: ENOENT/])
    t.equal(shop.snapshot.configuration.accessControl?.defaultAction, 'deny', 'what was read last holds')
    write('config.yaml', DENYING)
    await store.refresh()
    t.same(faultsOf(shop), [])
  }
  write('r/a.yaml', `${component('one')}${'#'.repeat(2 ** 20)}`)
  await store.refresh()
  t.match(faultsOf(shop), [/^it cannot be read: it is larger/])
  write('r/a.yaml', component('one'))
  await store.refresh()
  t.same(faultsOf(shop), [])
})

t.test('a Configuration that is there and cannot be read keeps the app from being started', async t => {
  const {store, open, write, remove} = scene(t)
  write('config.yaml', `${DENYING}${'#'.repeat(2 ** 20)}`)
  const shop = await open('shop')
  t.match(shop.snapshot.configuration.fault, /^config\.yaml:1: it cannot be read: it is larger than 1 MiB/)
  remove('config.yaml')
  await store.refresh()
  t.equal(shop.snapshot.configuration.fault, '', 'it need not be there')
  t.same(faultsOf(shop), [])
  write('config.yaml', DENYING)
  await store.refresh()
  t.match(shop.snapshot.configuration, {fault: '', accessControl: {defaultAction: 'deny'}})
})

t.test('of a Configuration that was never good the fault is that of its text as it is now', async t => {
  const {store, open, write, remove} = scene(t)
  write('config.yaml', 'spec:\n  tracing: {zipkin: {endpointAddress: nowhere}}\n')
  const shop = await open('shop')
  t.match(shop.snapshot.configuration.fault, /^config\.yaml:2: spec\.tracing\.zipkin\.endpointAddress is no URL/)
  const other = 'spec:\n\n  secrets: {scopes: [{storeName: x, defaultAccess: dney}]}\n'
  write('config.yaml', other)
  await store.refresh()
  t.match(shop.snapshot.configuration.fault, /^config\.yaml:3: "dney" is not a defaultAccess/)
  remove('config.yaml')
  await store.refresh()
  t.equal(shop.snapshot.configuration.fault, '', 'it need not be there')
  write('config.yaml', DENYING)
  await store.refresh()
  write('config.yaml', other)
  await store.refresh()
  t.match(shop.snapshot.configuration, {fault: '', accessControl: {defaultAction: 'deny'}}, 'the last good one')
})

t.test('a file is read again with other variables', async t => {
  const {open, write} = scene(t)
  write('r/a.yaml', component('"${HOST:-none}"'))
  const opened = async (variables?: Record<string, string>): Promise<string | undefined> => {
    const shop = await open('shop', variables)
    shop.close()
    return valueOf(shop)
  }
  t.equal(await opened(), '${HOST:-none}')
  t.equal(await opened({HOST: 'one'}), 'one')
  t.equal(await opened({HOST: 'two'}), 'two')
  t.equal(await opened(), '${HOST:-none}')
})

t.test('what an app has read as it was opened comes to the others with the next refresh', async t => {
  const {store, open, write} = scene(t)
  write('r/a.yaml', component('one'))
  const shop = await open('shop')
  await store.refresh()
  write('r/a.yaml', component('two'))
  const stock = await open('stock')
  await store.refresh()
  t.same([shop, stock].map(valueOf), ['two', 'two'])
  write('r/b.yaml', component('other').replace('name: store', 'name: second'))
  await open('third')
  await store.refresh()
  t.equal(shop.snapshot.components.length, 2, 'a new file, too')
})

t.test('a reader that fails is a fault of its file', async t => {
  const {store, open, write} = scene(t)
  write('r/a.yaml', component('one'))
  const shop = await open('shop')
  write('r/a.yaml', `a: &a "${'x'.repeat(60_000)}"\n${component(`[${'*a,'.repeat(20_000)}]`)}`)
  await store.refresh()
  t.match(faultsOf(shop), [/document contains excessive aliasing/])
  t.equal(valueOf(shop), 'one')
})

t.test('a Resiliency holds beside another document of its file that cannot be used', async t => {
  const {open, write} = scene(t)
  const resiliency = 'kind: Resiliency\nmetadata: {name: main}\nspec: {policies: {timeouts: {general: 5s}}}\n'
  const endpoint = 'apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: x}\nspec: {baseUrl: none}\n'
  write('r/a.yaml', `${resiliency}---\n${endpoint}`)
  const shop = await open('shop')
  t.match(faultsOf(shop), [/is no URL/])
  t.same(shop.snapshot.resiliency.policies.timeouts.get('general'), 5000)
  write('r/a.yaml', `a: [\n---\n${resiliency}`)
  t.equal((await open('stock')).snapshot.resiliency.policies.timeouts.size, 1, 'what was good before')
  write('r/b.yaml', `a: [\n---\n${resiliency.replace('5s', '6s').replace('main', 'other')}`)
  const third = await open('third')
  t.equal(third.snapshot.resiliency.policies.timeouts.get('general'), 5000, 'the first document alone is read')
})

t.test('a number and a boolean may be variables in quotes', async t => {
  const {open, write} = scene(t)
  write(
    'r/a.yaml',
    'kind: Resiliency\nmetadata: {name: main}\nspec: {policies: {retries: {twice: {maxRetries: "${N}"}}}}\n'
  )
  write('config.yaml', 'spec: {metrics: {enabled: "true"}}\n')
  const shop = await open('shop', {N: '2'})
  t.equal(shop.snapshot.resiliency.policies.retries.get('twice')?.maxRetries, 2)
  t.match(faultsOf(shop), [/^spec\.metrics\.enabled has a value of a wrong type/], 'a quoted text is none')
})

t.test('a time that no timer can wait is the longest that one can', async t => {
  const {open, write} = scene(t)
  write('r/a.yaml', component('one').replace('  metadata:\n  -', '  initTimeout: 600h\n  metadata:\n  -'))
  write('config.yaml', 'spec: {tracing: {otel: {endpointAddress: "localhost:4317", protocol: grpc, timeout: 600h}}}\n')
  const {snapshot} = await open('shop')
  t.equal(snapshot.components[0]?.initTimeoutMs, 2 ** 31 - 1)
  t.equal(snapshot.configuration.tracing.otlp?.timeoutMs, 2 ** 31 - 1)
})
