import type {ListedApp, RunListing} from '../control/messages.ts'
import type {ShownApp} from './app-table.ts'

/** An app in `ps -o json` (`x-output.ps` of `schema/api.yaml`). Times are ISO 8601; null if unknown. */
export interface PsRow {
  readonly id: string
  readonly version: string
  readonly instance: number
  /** Process id of its run. */
  readonly runPid: number
  readonly template: string
  readonly state: string
  readonly isReady: boolean
  readonly waitsFor: readonly string[]
  readonly pid: number
  readonly appPort: number
  readonly httpPort: number
  readonly grpcPort: number
  readonly startedAt: string | null
  readonly restarts: number
  readonly restartsAt: string | null
  readonly exitCode: number | null
  readonly exit: string
  readonly memoryBytes: number | null
  /** Share of one processor, since the start of the process. */
  readonly cpuPercent: number | null
  readonly circuitBreakers: ListedApp['circuitBreakers']
}

const time = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

export const psRows = (run: RunListing, shown: readonly ShownApp[]): readonly PsRow[] =>
  shown.map(({app, memoryBytes, cpu}) => ({
    id: app.appId,
    version: app.version,
    instance: app.instance,
    runPid: run.pid,
    template: run.templateFile,
    state: app.state,
    isReady: app.isReady,
    waitsFor: app.waitsFor,
    pid: app.appPid,
    appPort: app.appPort,
    httpPort: app.httpPort,
    grpcPort: app.grpcPort,
    startedAt: time(app.startedAt),
    restarts: app.restarts,
    restartsAt: time(app.restartsAt),
    exitCode: app.exitCode < 0 ? null : app.exitCode,
    exit: app.exit,
    memoryBytes: memoryBytes ?? null,
    cpuPercent: cpu === undefined ? null : Math.round(cpu * 10) / 10,
    circuitBreakers: app.circuitBreakers
  }))
