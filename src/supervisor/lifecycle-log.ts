import type {AppLog, SidecarLog} from '../logging/app-log.ts'
import * as status from '../logging/status-lines.ts'
import type {AppPlan} from '../model/plan.ts'
import {succeeded, type AppState, type Exit} from '../model/app-state.ts'

/** Where an app and its sidecar write. */
export interface Logs {
  readonly app: AppLog
  readonly sidecar: SidecarLog
}

/** What we write about an app into its two logs, from its start to its end; the words are those of Dapr's `cmd/run.go`. */
export class LifecycleLog {
  readonly #id: string
  readonly #logs: Logs
  /** Its status lines are not for the time when the whole run ends. */
  #runEnds = false

  constructor(id: string, logs: Logs) {
    this.#id = id
    this.#logs = logs
  }

  /** The whole run ends: what an app does now was asked of it. */
  get runEnds(): boolean {
    return this.#runEnds
  }

  starting(
    {command}: AppPlan,
    {httpPort, grpcPort, appPort}: Readonly<Record<'httpPort' | 'grpcPort' | 'appPort', number>>
  ): void {
    this.#tell(status.startingDapr(this.#id, httpPort, grpcPort))
    if (command.length === 0) this.#tell(status.noCommand)
    else if (appPort === 0) this.#tell(...status.checkingSidecar(httpPort, grpcPort))
  }

  /** `pid` 0: there is no process. */
  started({command}: AppPlan, pid: number): void {
    this.#tell(...status.updatingMetadata(process.pid, command.join(' '), pid === 0 ? undefined : pid))
    this.#tell(status.upAndRunning)
  }

  ended(exit: Exit): void {
    this.#say(status.appEnded(exit))
  }

  healthChanged(isHealthy: boolean): void {
    if (isHealthy) this.#logs.sidecar.write('App entered healthy status\n', 'info')
    else this.#logs.sidecar.write('App entered un-healthy status\n', 'warn')
  }

  /** Good-bye in both logs; what the program says afterwards still comes through. */
  announceEnd(hasLived: boolean): void {
    this.#runEnds = true
    if (hasLived) this.#say(status.shuttingDown)
    this.#tell(status.shuttingDown)
  }

  /** The last words of both logs, then the files are closed. */
  async close(state: AppState, hasLived: boolean): Promise<void> {
    const exit = this.#runEnds && state.phase === 'exited' && !state.asked ? state.exit : undefined
    if (exit !== undefined && !succeeded(exit)) this.#say(status.errorExitingApp(exit))
    this.#tell(status.exitedDapr)
    if (hasLived) this.#tell(status.exitedApp)
    await Promise.all([this.#logs.app.close(), this.#logs.sidecar.close()])
  }

  #say(line: status.Status): void {
    void this.#logs.app.sink({app: this.#id, stream: 'status', text: status.plainly(line)})
  }

  #tell(...lines: readonly status.Status[]): void {
    for (const line of lines) this.#logs.sidecar.say(line)
  }
}
