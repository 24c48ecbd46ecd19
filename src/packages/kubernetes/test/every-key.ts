/** Lines of an app for each key of a template; some need another key to mean something. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
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
  logs: ['logs: {keep: 3, size: 1Mi}'],
  limits: ['limits: {memory: 512Mi, cpus: 0.5}'],
  record: ['record: false'],
  replay: ['replay: true'],
  otel: ['otel: false'],
  autoPort: ['autoPort: true'],
  envFile: ['envFile: ../.env'],
  profiles: ['profiles: [extra]'],
  version: ['appID: orders', 'version: 1.2.0'],
  port: ['port: 5100'],
  fixedPort: ['fixedPort: 5000'],
  tty: ['tty: true'],
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

const FILES = {
  '.env': 'TOKEN=s3cret\n',
  x: {},
  'config.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: tracing\nspec: {}\n',
  res: {
    'store.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: state.redis, version: v1}\n'
  }
}

/** What these keys refer to. */
export const SETTING = {files: FILES, profiles: ['extra']}
