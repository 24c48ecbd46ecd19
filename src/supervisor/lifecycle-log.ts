import type {AppLog, SidecarLog} from '../observe/logging/app-log.ts'
import * as status from '../observe/logging/status-lines.ts'
import type {LogEntry} from '../model/log-entry.ts'
import type {AppPlan} from '../model/plan.ts'
import {succeeded, type AppState, type Exit} from '../model/app-state.ts'
import {initializedLines, metadataCalls, shutDownLine, startingLines, type ShownPorts} from './daprd-log.ts'

/** The logs of an app and its sidecar. */
export interface Logs {
  readonly app: AppLog
  readonly sidecar: SidecarLog
}

/** Writes status lines about an app to its two logs, in the words of Dapr's `cmd/run.go`. */
export class LifecycleLog {
  readonly #id: string
  readonly #logs: Logs
  /** Whether the whole run is stopping, so that exits are expected. */
  #runEnds = false
  #startedAt = 0
  #isInitialized = false

  constructor(id: string, logs: Logs) {
    this.#id = id
    this.#logs = logs
  }

  /** Whether the whole run is stopping, so that exits are expected. */
  get runEnds(): boolean {
    return this.#runEnds
  }

  starting(plan: AppPlan, appPort: number, ports: ShownPorts): void {
    const {command} = plan
    const {httpPort, grpcPort} = ports
    this.#startedAt = performance.now()
    this.#tell(status.startingDapr(this.#id, httpPort, grpcPort))
    this.#log(startingLines(plan, appPort, ports))
    if (command.length === 0) this.#tell(status.noCommand)
    else if (appPort === 0) this.#tell(...status.checkingSidecar(httpPort, grpcPort))
  }

  /** Logs a start. `pid`: 0: no process. `apiLog`: undefined: API calls are not logged. */
  started({command}: AppPlan, pid: number, apiLog: {readonly obfuscatesUrls: boolean} | undefined): void {
    const keys = ['cliPID', ...(command.length > 0 ? ['appCommand'] : []), ...(pid === 0 ? [] : ['appPID'])]
    if (apiLog !== undefined) this.#log(metadataCalls(keys, apiLog.obfuscatesUrls))
    this.#tell(
      ...status.updatingMetadata(process.pid, command.join(' '), pid === 0 ? undefined : pid),
      status.upAndRunning
    )
  }

  /** Logs that the app is ready, once per opening. */
  ready(appPort: number): void {
    if (this.#isInitialized) return
    this.#isInitialized = true
    this.#log(initializedLines(appPort, performance.now() - this.#startedAt))
  }

  ended(exit: Exit): void {
    this.#say(status.appEnded(exit))
  }

  healthChanged(isHealthy: boolean): void {
    const scope = 'dapr.apphealth'
    if (isHealthy) this.#log([{level: 'info', message: 'App entered healthy status', scope}])
    else this.#log([{level: 'warn', message: 'App entered un-healthy status', scope}])
  }

  /** Announces the end of the run in both logs. Later output of the app is still logged. */
  announceEnd(hasLived: boolean): void {
    this.#runEnds = true
    if (hasLived) this.#say(status.shuttingDown)
    this.#tell(status.shuttingDown)
  }

  /** Writes the last lines of both logs, then closes the files. */
  async close(state: AppState, hasLived: boolean): Promise<void> {
    const exit = this.#runEnds && state.phase === 'exited' && !state.asked ? state.exit : undefined
    if (exit !== undefined && !succeeded(exit)) this.#say(status.errorExitingApp(exit))
    this.#log([shutDownLine])
    this.#tell(status.exitedDapr)
    if (hasLived) this.#tell(status.exitedApp)
    await Promise.all([this.#logs.app.close(), this.#logs.sidecar.close()])
  }

  #say(line: status.StatusLine): void {
    void this.#logs.app.sink({app: this.#id, stream: 'status', text: status.plainly(line)})
  }

  #tell(...lines: readonly status.StatusLine[]): void {
    this.#logs.sidecar.say(...lines)
  }

  #log(entries: readonly LogEntry[]): void {
    this.#logs.sidecar.log(...entries)
  }
}
