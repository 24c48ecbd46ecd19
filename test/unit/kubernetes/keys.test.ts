import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {kubernetesText} from '../../../src/kubernetes/export-files.ts'
import {changes, golden} from './golden.ts'
import {objectsIn, orders, withCommon} from './shop.ts'

/** Lines of an app for each key of a template; some need another key to mean something. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  configFilePath: ['configFilePath: ../config.yaml'],
  appProtocol: ['appProtocol: grpc'],
  apiListenAddresses: ['apiListenAddresses: 0.0.0.0,::1'],
  enableProfiling: ['enableProfiling: yes'],
  logLevel: ['logLevel: DEBUG'],
  appMaxConcurrency: ['appMaxConcurrency: 3'],
  placementHostAddress: ['placementHostAddress: placement.dapr:50005'],
  schedulerHostAddress: ['schedulerHostAddress: scheduler.dapr:50006'],
  componentspath: ['componentspath: ./x'],
  resourcesPath: ['resourcesPath: ../res'],
  resourcesPaths: ['resourcesPaths: [../res]'],
  appSSL: ['appSSL: true'],
  maxBodySize: ['maxBodySize: 16.5Mi'],
  readBufferSize: ['readBufferSize: 10000'],
  enableAppHealthCheck: ['enableAppHealthCheck: true'],
  appHealthCheckPath: ['appHealthCheckPath: /health'],
  appHealthProbeInterval: ['appHealthProbeInterval: 7'],
  appHealthProbeTimeout: ['appHealthProbeTimeout: 200'],
  appHealthThreshold: ['appHealthThreshold: 2'],
  enableApiLogging: ['enableApiLogging: true'],
  runtimePath: ['runtimePath: ../home'],
  env: ['env: {LEVEL: 010, ON: yes, EMPTY: "", PRICE: "$(COST) $$ $5"}'],
  daprdLogDestination: ['daprdLogDestination: console'],
  appLogDestination: ['appLogDestination: console'],
  appID: ['appID: stock'],
  appDirPath: ['appDirPath: ./checkout'],
  command: ['command: [node, app.mjs]'],
  appPort: ['appPort: 3000'],
  appChannelAddress: ['appChannelAddress: 10.0.0.1'],
  daprHTTPPort: ['daprHTTPPort: 3501'],
  daprGRPCPort: ['daprGRPCPort: 50011'],
  daprInternalGRPCPort: ['daprInternalGRPCPort: 50012'],
  metricsPort: ['metricsPort: 9091'],
  profilePort: ['profilePort: 7777'],
  unixDomainSocket: ['unixDomainSocket: /tmp/sockets'],
  containerImage: ['containerImage: registry.example/orders:2'],
  containerImagePullPolicy: ['containerImagePullPolicy: IfNotPresent'],
  createService: ['appPort: 3000', 'createService: true'],
  watch: ['watch: true'],
  restart: ['restart: always'],
  ready: ['appPort: 3000', 'ready: {http: /ready, timeout: 2m}'],
  dependsOn: ['dependsOn: []'],
  reload: ['reload: replace'],
  stop: ['stop: {signal: SIGINT, timeout: 30s, scope: group}'],
  replicas: ['autoPort: true', 'command: [node, app.mjs]', 'replicas: 3'],
  logs: ['logs: {keep: 3}'],
  record: ['record: false'],
  autoPort: ['autoPort: true'],
  envFile: ['envFile: ../.env'],
  profiles: ['profiles: [extra]'],
  version: ['appID: orders', 'version: 1.2.0'],
  fixedPort: ['fixedPort: 5000'],
  kubernetes: ['kubernetes: {replicas: 2}'],
  'kubernetes.resources': ['kubernetes: {resources: {requests: {cpu: 1, memory: 64Mi}, limits: {memory: 1e9}}}'],
  'kubernetes.job': ['kubernetes: {job: true}'],
  'kubernetes.service': ['appPort: 3000', 'createService: true', 'kubernetes: {service: ClusterIP}'],
  'kubernetes.serviceAccount': ['kubernetes: {serviceAccount: shop}'],
  'kubernetes.imagePullSecrets': ['kubernetes: {imagePullSecrets: [registry, other]}'],
  'kubernetes.annotations': ['kubernetes: {annotations: {dapr.io/sidecar-cpu-limit: 1, times: yes}}'],
  'kubernetes.labels': ['kubernetes: {labels: {team: payments, job: yes}}'],
  'kubernetes.patch': [
    'kubernetes: {patch: {spec: {template: {spec: {terminationGracePeriodSeconds: ~, hostNetwork: true, priority: 010}}}}}'
  ]
}

/** Only `common` may have them, or only an app. */
const shared = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schema/template.json'), 'utf8')) as {
  readonly properties: {readonly common: {readonly properties: object}}
  readonly definitions: {
    readonly app: {readonly properties: object}
    readonly kubernetes: {readonly properties: object}
  }
}
const COMMON = new Set(Object.keys(shared.properties.common.properties))

const FILES = {
  '.env': 'TOKEN=s3cret\n',
  x: {},
  'config.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: tracing\nspec: {}\n',
  res: {
    'store.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: state.redis, version: v1}\n'
  }
}

const SETTING = {files: FILES, profiles: ['extra']}

t.test('every key of a template, alone and merged from common, makes these objects', async t => {
  const textOf = async (yaml: string): Promise<string> => kubernetesText(await objectsIn(t, yaml, SETTING))
  const base = await textOf(orders())
  golden(t, 'base.yaml', base)
  const parts: string[] = []
  for (const [key, lines] of Object.entries(KEYS)) {
    const yaml = orders(...lines)
    const {warnings} = await objectsIn(t, yaml, SETTING)
    const text = await textOf(yaml)
    parts.push(
      [`## ${key}: ${lines.join(' · ')}\n`, changes(base, text), ...warnings.map(line => `! ${line}\n`)].join('')
    )
    const common = lines.filter(line => COMMON.has(line.split(':')[0] ?? ''))
    // paths of common start at the template, those of an app at its folder
    if (common.length === 0 || lines.some(line => /Path|envFile/.test(line))) continue
    t.equal(await textOf(withCommon(common, ...lines.filter(line => !common.includes(line)))), text, `${key} in common`)
  }
  golden(t, 'keys.txt', parts.join('\n'))
})

t.test('no key of the schema is left out', async t => {
  const {app, kubernetes} = shared.definitions
  const all = [
    ...Object.keys(app.properties),
    ...Object.keys(kubernetes.properties)
      .filter(name => name !== 'replicas')
      .map(name => `kubernetes.${name}`)
  ]
  t.strictSame(Object.keys(KEYS).toSorted(), all.toSorted())
})

t.test('paths in common start at the template', async t => {
  const own = ['configFilePath: ../config.yaml', 'resourcesPath: ../res', 'resourcesPaths: [../res]']
  const common = ['configFilePath: ./config.yaml', 'resourcesPath: ./res', 'resourcesPaths: [./res]']
  for (const [index, line] of common.entries())
    t.equal(
      kubernetesText(await objectsIn(t, withCommon([line]), SETTING)),
      kubernetesText(await objectsIn(t, orders(own[index] ?? ''), SETTING)),
      line
    )
})

t.test("kubernetes: an app's keys override those of common, annotations and labels are merged", async t => {
  const common = ['kubernetes: {replicas: 1, labels: {a: x, b: x}, annotations: {a: x}, serviceAccount: shop}']
  const own = 'kubernetes: {replicas: 2, labels: {b: y, c: y}}'
  const both = 'kubernetes: {replicas: 2, labels: {a: x, b: y, c: y}, annotations: {a: x}, serviceAccount: shop}'
  t.equal(kubernetesText(await objectsIn(t, withCommon(common, own))), kubernetesText(await objectsIn(t, orders(both))))
})
