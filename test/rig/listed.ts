import type {App} from '../../src/model/api.generated.ts'
import type {RunListing} from '../../src/control/run-control.ts'

/** An app that is told like this, and of which all else is left out. */
export const appOf = (app: Partial<App>): App => ({
  id: '',
  version: '0.0.0',
  isMain: true,
  instance: 1,
  state: 'idle',
  isReady: false,
  availability: 'waiting',
  pid: 0,
  exitCode: null,
  exit: '',
  restarts: 0,
  createdAt: null,
  startedAt: null,
  restartsAt: null,
  waitsFor: [],
  loop: null,
  command: '',
  appPort: 0,
  url: '',
  listens: [],
  appProtocol: 'http',
  httpPort: 0,
  grpcPort: 0,
  maxRequestBodySize: 0,
  httpReadBufferSize: 0,
  logFile: '',
  sidecarLogFile: '',
  circuitBreakers: [],
  recent: {seconds: 60, calls: 0, failed: 0, p95Ms: 0},
  waitingWork: 0,
  waitingEvents: 0,
  ...app
})

/** A run with this marker, and these apps. */
export const runOf = (run: string, startedAt = 1, apps: readonly App[] = []): RunListing => ({
  version: '0.1.0',
  name: 'shop',
  run,
  pid: process.pid,
  startedAt: new Date(startedAt).toISOString(),
  template: {file: '/shop/dapr.yaml', name: 'shop'},
  folder: '/shop',
  isTemplateFollowed: true,
  apps
})
