import t from 'tap'
import {labelValue, MANAGED_BY, TEMPLATE_LABEL} from '../object.ts'
import {mergePatch} from '../objects.ts'
import {allOf, objectsIn, orders} from './shop.ts'

const app = (id: string, more: string): string =>
  `  - {appID: ${id}, appDirPath: ./orders, containerImage: a:1, ${more}}\n`
const template = (...apps: readonly string[]): string => `version: 1\napps:\n${apps.join('')}`

t.test('everything has our labels, and an app its own', async t => {
  const files = {
    res: {
      'a.yaml':
        'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: x, labels: {mine: 1}}\nspec: {type: a.b}\n'
    },
    '.env': 'A=1\n'
  }
  const objects = allOf(
    await objectsIn(t, orders('resourcesPath: ../res', 'envFile: ../.env', 'appPort: 1', 'createService: true'), {
      files
    })
  )
  t.strictSame(
    objects.map(({kind}) => kind),
    ['Component', 'Secret', 'Service', 'Deployment']
  )
  for (const {kind, metadata} of objects)
    t.match(metadata.labels, {
      [MANAGED_BY]: 'pillion',
      [TEMPLATE_LABEL]: 'shop',
      ...(kind !== 'Component' && {app: 'orders'})
    })
  t.match(objects[0]?.metadata.labels, {mine: '1'})
})

t.test("a template's name, or its folder's, is made a label", async t => {
  t.equal(labelValue('Shop_2.new'), 'Shop_2.new')
  t.match(labelValue('Shop / 2 (new)'), /^Shop-2-new-[0-9a-f]{8}$/)
  t.match(labelValue('Ünser Shop / 2 (neu)'), /^nser-Shop-2-neu-[0-9a-f]{8}$/)
  t.equal(labelValue('Ü'.normalize('NFD')), labelValue('Ü'), 'folders of macOS')
  for (const [one, other] of [
    ['shop (1)', 'shop-1'],
    ['_shop', 'shop'],
    ['商店', '订单'],
    ['商店-api', '订单-api'],
    ['x'.repeat(63) + 'a', 'x'.repeat(63) + 'b']
  ] as const) {
    t.not(labelValue(one), labelValue(other))
    t.match(labelValue(one), /^[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$/)
  }
})

t.test('apps come in start order; what is awaited as completed is a Job', async t => {
  const {apps} = await objectsIn(
    t,
    template(
      app('shop', 'dependsOn: [stock]'),
      app('stock', 'dependsOn: {migrate: completed}'),
      app('migrate', ''),
      app('alone', '')
    )
  )
  t.strictSame(
    apps.map(({id, workload}) => `${id} ${workload.kind}`),
    ['migrate Job', 'stock Deployment', 'shop Deployment', 'alone Deployment']
  )
  t.strictSame(apps[1]?.dependsOn, [{id: 'migrate', until: 'completed'}])
})

t.test('replicas: those of kubernetes, else the sum of the entries, else left to the cluster', async t => {
  const replicasOf = async (...apps: readonly string[]): Promise<unknown> =>
    (await objectsIn(t, template(...apps))).apps.map(
      ({workload}) => (workload['spec'] as {readonly replicas?: number}).replicas
    )
  t.strictSame(await replicasOf(app('a', '')), [undefined])
  t.strictSame(await replicasOf(app('a', 'replicas: 1')), [1])
  t.strictSame(await replicasOf(app('a', 'autoPort: true, command: [x], replicas: 2'), app('a', '')), [3])
  t.strictSame(await replicasOf(app('a', 'autoPort: true, command: [x], replicas: 2, kubernetes: {replicas: 0}')), [0])
})

t.test('of a Daeploy service the first version is deployed, and the others are named', async t => {
  const {apps, warnings} = await objectsIn(t, template(app('hello', 'version: 2.0.0'), app('hello', 'version: 1.0.0')))
  t.equal(apps.length, 1)
  t.ok(warnings.includes('hello 1.0.0: not deployed: the first version of a service is'))
})

t.test('ports of the laptop never reach a pod', async t => {
  const {apps, warnings} = await objectsIn(
    t,
    orders('daprHTTPPort: 3999', 'daprGRPCPort: 3998', 'env: {DAPR_HTTP_PORT: 3999, DAPR_GRPC_PORT: 1, A: b}')
  )
  t.notMatch(JSON.stringify(apps[0]?.workload), /399[89]|DAPR_/)
  t.match(warnings, [
    'daprHTTPPort, daprGRPCPort: no meaning in a pod, left out',
    'DAPR_HTTP_PORT, DAPR_GRPC_PORT: left out of app "orders": its sidecar has other ports in a pod'
  ])
})

interface Pod {
  readonly containers: readonly {readonly readinessProbe?: object}[]
}

t.test('readiness: a path, a port, a command; a log line and nothing have no probe', async t => {
  const probeOf = async (...lines: readonly string[]): Promise<unknown> => {
    const {apps} = await objectsIn(t, orders(...lines))
    const workload = apps[0]?.workload as {readonly spec: {readonly template: {readonly spec: Pod}}} | undefined
    return workload?.spec.template.spec.containers[0]?.readinessProbe
  }
  t.strictSame(await probeOf('appPort: 1'), undefined)
  t.strictSame(await probeOf('appPort: 1', 'ready: {log: x}'), undefined)
  t.strictSame(await probeOf('appPort: 1', 'ready: none'), undefined)
  t.strictSame(await probeOf('appPort: 1', 'ready: {tcp: 2}'), {tcpSocket: {port: 2}, periodSeconds: 1})
  t.match(
    await probeOf(`ready: {command: [sh, -c, 'test "$(cat r$$)" = $OK']}`),
    {exec: {command: ['sh', '-c', 'test "$$(cat r$$$)" = $OK']}},
    'what Kubernetes would replace is escaped'
  )
  t.strictSame(await probeOf('ready: {command: [pg_isready, -q]}'), {
    exec: {command: ['pg_isready', '-q']},
    periodSeconds: 1,
    timeoutSeconds: 5
  })
  t.strictSame(await probeOf('appPort: 1', 'appProtocol: https', 'ready: {http: /x}'), {
    httpGet: {path: '/x', port: 1, scheme: 'HTTPS'},
    periodSeconds: 1
  })
})

t.test('the sidecar is there before the app, where the server can do that', async t => {
  const textOf = async (nativeSidecar: boolean): Promise<string> =>
    JSON.stringify(await objectsIn(t, orders(), {nativeSidecar}))
  t.match(await textOf(true), '"dapr.io/enable-native-sidecar":"true"')
  t.notMatch(await textOf(false), 'native-sidecar')
})

t.test('a merge patch: maps are merged, null deletes, everything else replaces (RFC 7396, appendix A)', async t => {
  const cases: readonly (readonly [target: unknown, patch: unknown, result: unknown])[] = [
    [{a: 'b'}, {a: 'c'}, {a: 'c'}],
    [{a: 'b'}, {b: 'c'}, {a: 'b', b: 'c'}],
    [{a: 'b'}, {a: null}, {}],
    [{a: 'b', b: 'c'}, {a: null}, {b: 'c'}],
    [{a: ['b']}, {a: 'c'}, {a: 'c'}],
    [{a: 'c'}, {a: ['b']}, {a: ['b']}],
    [{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}],
    [{a: [{b: 'c'}]}, {a: [1]}, {a: [1]}],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd']
    ],
    [{a: 'b'}, ['c'], ['c']],
    [{a: 'foo'}, null, null],
    [{a: 'foo'}, 'bar', 'bar'],
    [{e: null}, {a: 1}, {e: null, a: 1}],
    [[1, 2], {a: 'b', c: null}, {a: 'b'}],
    [{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}]
  ]
  for (const [target, patch, result] of cases) t.strictSame(mergePatch(target, patch), result, JSON.stringify(patch))
})

t.test('variables of the command line override those of the template, but for the ports of the sidecar', async t => {
  const {apps} = await objectsIn(t, orders('env: {A: 1, B: 2}'), {variables: {B: '3', C: '4', DAPR_HTTP_PORT: '5'}})
  t.match(
    JSON.stringify(apps[0]?.workload),
    '"env":[{"name":"A","value":"1"},{"name":"B","value":"3"},{"name":"C","value":"4"}]'
  )
})

t.test('of an app with an entry for each profile that of the chosen one is deployed, and counts alone', async t => {
  const yaml = ['mock', 'real'].map(
    name => `  - appID: stock\n    appDirPath: ./orders\n    containerImage: ${name}:1\n    profiles: [${name}]\n`
  )
  for (const profile of ['mock', 'real']) {
    const {apps} = await objectsIn(t, `version: 1\napps:\n${yaml.join('')}`, {profiles: [profile]})
    const spec = apps[0]?.workload['spec'] as {readonly replicas?: number} | undefined
    t.match(spec, {template: {spec: {containers: [{image: `${profile}:1`}]}}})
    t.equal(spec?.replicas, undefined)
  }
})

t.test('replicas of a Job are named: it runs one pod', async t => {
  const {warnings, apps} = await objectsIn(t, orders('kubernetes: {job: true, replicas: 3}'))
  t.strictSame(warnings, ['orders: replicas left out: a Job runs one pod, once'])
  t.notMatch(JSON.stringify(apps[0]?.workload), 'replicas')
})

t.test('a container of docker run is one of its image in a pod, and flags without meaning are named', async t => {
  const run = '--publish, 5433:5432, -v, data:/d, -e, A=$(B), -w, /w, --entrypoint, serve, img:2, -c, x'
  const {apps, warnings} = await objectsIn(
    t,
    `version: 1\napps:\n  - {appID: db, appDirPath: ., command: [docker, run, --rm, --name, n, ${run}], ready: {tcp: 5433}}\n`
  )
  const container = {
    image: 'img:2',
    command: ['serve'],
    args: ['-c', 'x'],
    workingDir: '/w',
    env: [{name: 'A', value: '$$(B)'}],
    readinessProbe: {tcpSocket: {port: 5432}}
  }
  t.match(apps[0]?.workload, {spec: {template: {spec: {containers: [container]}}}})
  t.strictSame(warnings, ['--publish, --volume: no meaning in a pod, left out'])
})
