import type {ListedApp, RunListing} from '../control/messages.ts'
import type {Availability} from '../model/availability.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import {RECENT_SECONDS} from '../telemetry/recorder/edges.ts'
import type {RunFacts} from './run-facts.ts'
import {faultRow, type FaultRow} from './faults.ts'

/** A run. Times are ISO 8601. */
export interface RunView {
  readonly version: string
  /** The marker of its processes and folders. */
  readonly run: string
  readonly pid: number
  readonly startedAt: string
  /** `file` is '' for a single app. */
  readonly template: {readonly file: string; readonly name: string}
  /** The number of the latest call; 0: there was none. */
  readonly lastCall: number
  /** The active faults. */
  readonly faults: readonly FaultRow[]
  readonly apps: readonly AppView[]
}

/** An app of a run, one entry per instance. Times are ISO 8601, null if unknown. */
export interface AppView {
  readonly id: string
  readonly version: string
  readonly isMain: boolean
  readonly instance: number
  readonly state: string
  readonly isReady: boolean
  readonly availability: Availability
  readonly pid: number
  /** null: no process of it has ended. */
  readonly exitCode: number | null
  readonly exit: string
  readonly restarts: number
  readonly startedAt: string | null
  readonly restartsAt: string | null
  /** The apps that must come first; none once it was started. */
  readonly waitsFor: readonly string[]
  readonly command: string
  readonly appPort: number
  readonly appProtocol: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly logFile: string
  readonly circuitBreakers: readonly {readonly name: string; readonly state: string}[]
  /** Calls to its id in the last ten seconds. */
  readonly recent: {readonly seconds: number; readonly calls: number; readonly failed: number}
}

const time = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

/** `apps`: only these. */
export function appViews(apps: readonly ListedApp[], recorder: CallRecorder): readonly AppView[] {
  const now = performance.now()
  const recent = new Map<string, {calls: number; failed: number}>()
  for (const edge of recorder.edges.all) {
    const {calls, failed} = edge.recent(now)
    const all = recent.get(edge.callee)
    if (all === undefined) recent.set(edge.callee, {calls, failed})
    else {
      all.calls += calls
      all.failed += failed
    }
  }
  return apps.map(app => ({
    ...stateOf(app),
    recent: {seconds: RECENT_SECONDS, calls: 0, failed: 0, ...recent.get(app.appId)}
  }))
}

/** The properties of an app, without its calls. */
export const stateOf = (app: ListedApp): Omit<AppView, 'recent'> => ({
  id: app.appId,
  version: app.version,
  isMain: app.isMain,
  instance: app.instance,
  state: app.state,
  isReady: app.isReady,
  availability: app.availability,
  pid: app.appPid,
  exitCode: app.exitCode < 0 ? null : app.exitCode,
  exit: app.exit,
  restarts: app.restarts,
  startedAt: time(app.startedAt),
  restartsAt: time(app.restartsAt),
  waitsFor: app.waitsFor,
  command: app.command,
  appPort: app.appPort,
  appProtocol: app.appProtocol,
  httpPort: app.httpPort,
  grpcPort: app.grpcPort,
  logFile: app.appLogPath,
  circuitBreakers: app.circuitBreakers
})

export const runView = (listing: RunListing, {recorder, faults}: Pick<RunFacts, 'recorder' | 'faults'>): RunView => ({
  version: listing.version,
  run: listing.run,
  pid: listing.pid,
  startedAt: new Date(listing.startedAt).toISOString(),
  template: {file: listing.templateFile, name: listing.templateName},
  lastCall: recorder.last,
  faults: (faults.active?.list() ?? []).map(faultRow),
  apps: appViews(listing.apps, recorder)
})
