import {tmpdir} from 'node:os'
import type {AppPlan} from '../../src/model/plan.ts'

/** A plan of an app with defaults; a test sets what it is about. */
export const planOf = (wishes: Partial<AppPlan> = {}): AppPlan => ({
  id: 'app',
  version: '0.0.0',
  instance: 1,
  folder: tmpdir(),
  command: [],
  env: {},
  envFiles: [],
  channel: {protocol: 'http', address: '', port: 0, autoPort: false, maxConcurrency: 0},
  sidecar: {
    httpPort: 0,
    grpcPort: 0,
    internalGrpcPort: 0,
    metricsPort: 0,
    listenAddresses: [],
    socketFolder: '',
    maxBodyBytes: 0,
    readBufferBytes: 0,
    apiLogging: false,
    logLevel: 'info'
  },
  health: {enabled: false, path: '', intervalMs: 0, timeoutMs: 0, threshold: 0},
  logs: {app: 'console', sidecar: 'console', folder: '', keep: 0, size: 0},
  replay: true,
  record: {bodyBytes: -1, mask: []},
  ready: {kind: 'spawned', timeoutMs: 60_000},
  restart: 'no',
  watch: {paths: [], ignore: [], honoursGitignore: false},
  reloadsItself: '',
  reload: 'replace',
  stop: {signal: 'SIGTERM', timeoutMs: 5000, first: 'leader', scope: 'all'},
  dependsOn: [],
  fixedPort: 0,
  resources: {folders: [], configFile: '', defaultFolder: ''},
  elsewhere: {
    containerImage: '',
    pullPolicy: 'Always',
    createService: false,
    placementAddress: '',
    schedulerAddress: '',
    profilePort: 'none'
  },
  ...wishes
})
