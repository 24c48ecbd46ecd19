import t from 'tap'
import {objectsIn} from './shop.ts'

const component = (name: string, more = '', type = 'state.redis'): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ${name}}\nspec:\n  type: ${type}\n  version: v1\n${more}`

const value = (text: string): string => `  metadata:\n    - name: redisHost\n      value: ${text}\n`

/** Two apps, and the lines of their entries. */
const two = (orders: string, checkout: string, common = ''): string =>
  `version: 1\ncommon: {${common}}\napps:\n  - {appID: orders, appDirPath: ./orders, containerImage: a, ${orders}}\n  - {appID: checkout, appDirPath: ./checkout, containerImage: a, ${checkout}}\n`

t.test('what all apps have is for all; what some have is scoped to them, within the scopes that it has', async t => {
  const files = {
    shared: {'a.yaml': component('shared'), 'b.yaml': component('scoped', 'scopes: [orders, another]\n')},
    own: {
      'a.yaml': component('own'),
      'b.yaml': component('both', 'scopes: [orders, checkout, another]\n'),
      'c.yaml': component('foreign', 'scopes: [checkout]\n'),
      'd.yaml': component('open', 'scopes: []\n')
    }
  }
  const {resources} = await objectsIn(t, two('resourcesPaths: [../shared, ../own]', 'resourcesPath: ../shared'), {
    files
  })
  t.strictSame(Object.fromEntries(resources.map(({object}) => [object.metadata.name, object['scopes']])), {
    shared: undefined,
    scoped: ['orders', 'another'],
    own: ['orders'],
    both: ['orders'],
    open: ['orders']
  })
})

t.test('the same text in two folders is one object; it is for all who have it', async t => {
  const files = {a: {'x.yaml': component('store')}, b: {'y.yaml': `# the same\n${component('store')}`}}
  const {resources} = await objectsIn(t, two('resourcesPath: ../a', 'resourcesPath: ../b'), {files})
  t.match(resources, [{shownAs: 'a/x.yaml', object: {metadata: {name: 'store'}}}])
  t.equal(resources[0]?.object['scopes'], undefined)
})

t.test("what lies in Dapr's own folder is left out, and an app's .dapr folder counts", async t => {
  const configuration = 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: usual}\n'
  const files = {
    home: {'.dapr': {components: {'a.yaml': component('usual')}, 'config.yaml': configuration}},
    orders: {'app.mjs': '', '.dapr': {resources: {'b.yaml': component('local')}}}
  }
  const {resources, apps} = await objectsIn(t, two('', ''), {files})
  t.strictSame(
    resources.map(({object}) => object.metadata.name),
    ['local']
  )
  t.notMatch(JSON.stringify(apps), 'dapr.io/config')
})

t.test('a Configuration is named by the annotation of the apps that have it', async t => {
  const files = {
    'config.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: strict}\nspec: {}\n'
  }
  const {resources, apps} = await objectsIn(t, two('configFilePath: ../config.yaml', ''), {files})
  t.match(resources, [{shownAs: 'config.yaml', object: {kind: 'Configuration', metadata: {name: 'strict'}}}])
  t.strictSame(
    apps.map(({workload}) => JSON.stringify(workload).includes('"dapr.io/config":"strict"')),
    [true, false]
  )
})

t.test('all goes to one namespace', async t => {
  const files = {res: {'a.yaml': component('store').replace('name: store', 'name: store, namespace: production')}}
  const yaml = two('resourcesPath: ../res', '')
  const {resources, warnings} = await objectsIn(t, yaml, {files, namespace: 'shop'})
  t.equal(resources[0]?.object.metadata.namespace, 'shop')
  t.match(warnings, [/^res\/a\.yaml:3:36: the namespace "production" is left out/])
  t.strictSame((await objectsIn(t, yaml, {files, namespace: 'production'})).warnings, [])
})

t.test('what works on the laptop only is named with its place', async t => {
  const auth = '    - name: redisPassword\n      secretKeyRef: {name: a, key: b}\nauth: {secretStore: '
  const warningsOf = async (text: string): Promise<readonly string[]> =>
    (await objectsIn(t, two('resourcesPath: ../res', 'resourcesPath: ../res'), {files: {res: {'a.yaml': text}}}))
      .warnings
  const address =
    /^res\/a\.yaml:9:14: Component "x": (?:localhost|127\.0\.0\.1|\[::1\]) is the pod itself \(name a Service of the cluster\)$/
  for (const text of [
    'localhost:6379',
    'LOCALHOST',
    'redis://localhost:6379/0',
    'a:1,127.0.0.1:2',
    '"[::1]:6379"',
    'host=localhost port=5432'
  ])
    t.match(
      await warningsOf(component('x', value(text))),
      text === 'LOCALHOST' ? [/LOCALHOST is the pod/] : [address],
      text
    )
  for (const text of ['redis:6379', 'localhost.example.com:1', 'mylocalhost', '10.127.0.0.1', '127'])
    t.strictSame(await warningsOf(component('x', value(text))), [], text)
  t.match(
    await warningsOf(
      'apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: x}\nspec: {baseUrl: http://localhost:80}\n'
    ),
    [/^res\/a\.yaml:4:17: HTTPEndpoint "x": localhost is the pod itself/]
  )
  t.match(await warningsOf(component('x', '', 'secretstores.local.file')), [
    /^res\/a\.yaml:5:9: Component "x": secretstores\.local\.file reads/
  ])
  const withFile = `  metadata:\n    - {name: connectionString, value: "data.db"}\n`
  t.match(await warningsOf(component('x', withFile, 'state.sqlite')), [
    /^res\/a\.yaml:8:39: Component "x": state\.sqlite has its files in the sidecar's container/
  ])
  t.strictSame(await warningsOf(component('x', withFile.replace('data.db', ':memory:'), 'state.sqlite')), [])
  t.match(await warningsOf(`apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n---\n${component('x', '')}`), [
    /^res\/a\.yaml:2:7: Secret "keys" is left out: it is no resource of Dapr \(apply it yourself\)/
  ])
  t.match(await warningsOf(component('x', '', 'pubsub.in-memory')), [/each pod has its own pubsub\.in-memory/])
  t.match(await warningsOf(component('x', `${value('a')}${auth}vault}\n`)), [
    /the secret store "vault" is not in the cluster \(write kubernetes\)/
  ])
  t.strictSame(await warningsOf(component('x', `${value('a')}${auth}kubernetes}\n`)), [])
  t.strictSame(
    await warningsOf(
      `${component('x', `${value('a')}${auth}vault}\n`)}---\n${component('vault', '', 'secretstores.hashicorp.vault')}`
    ),
    []
  )
})

const configuration = (spec: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: x}\nspec: ${spec}\n`

t.test('a Configuration: other name resolution, and variables that nobody replaces', async t => {
  const warningsOf = async (spec: string): Promise<readonly string[]> =>
    (await objectsIn(t, two('configFilePath: ../c.yaml', ''), {files: {'c.yaml': configuration(spec)}})).warnings
  t.match(await warningsOf('{nameResolution: {component: mdns}}'), [
    /^c\.yaml:4:36: Configuration "x": names are not resolved by mdns/
  ])
  t.strictSame(await warningsOf('{nameResolution: {component: kubernetes}}'), [])
  for (const exporter of ['zipkin', 'otel'])
    t.match(await warningsOf(`{tracing: {${exporter}: {endpointAddress: "http://localhost:9411"}}}`), [
      /^c\.yaml:4:\d+: Configuration "x": localhost is the pod itself \(name a Service of the cluster\)/
    ])
  t.match(await warningsOf('{tracing: {zipkin: {endpointAddress: "http://${ZIPKIN}:9411"}}}'), [
    /\$\{ZIPKIN\} is not replaced/
  ])
})

t.test('a policy for callers of another namespace is named with its place', async t => {
  const spec = '{accessControl: {policies: [{appId: shop, namespace: default}, {appId: stock, namespace: plat}]}}'
  const {warnings} = await objectsIn(t, two('configFilePath: ../c.yaml', ''), {
    files: {'c.yaml': configuration(spec)},
    namespace: 'plat'
  })
  t.match(warnings, [
    /^c\.yaml:4:\d+: Configuration "x": a policy is for "shop" of the namespace "default", and the apps go to "plat" \(write plat, or calls of "shop" are refused\)/
  ])
  t.equal(warnings.length, 1)
})
