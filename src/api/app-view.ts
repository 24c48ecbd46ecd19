import type * as Api from '../model/api.generated.ts'
import type {ListedApp, RunListing} from '../control/messages.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import {RECENT_SECONDS} from '../telemetry/recorder/edges.ts'
import type {RunFacts} from './run-facts.ts'
import {faultRow} from './faults.ts'

const time = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

/** `apps`: only these. */
export function appViews(apps: readonly ListedApp[], recorder: CallRecorder): readonly Api.App[] {
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
export const stateOf = (app: ListedApp): Omit<Api.App, 'recent'> => ({
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

export const runView = (listing: RunListing, {recorder, faults}: Pick<RunFacts, 'recorder' | 'faults'>): Api.Run => ({
  version: listing.version,
  run: listing.run,
  pid: listing.pid,
  startedAt: new Date(listing.startedAt).toISOString(),
  template: {file: listing.templateFile, name: listing.templateName},
  lastCall: recorder.last,
  faults: (faults.active?.list() ?? []).map(faultRow),
  apps: appViews(listing.apps, recorder)
})
