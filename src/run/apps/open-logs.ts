import {hostname} from 'node:os'
import {openAppLogs} from '../../observe/logging/app-log.ts'
import type {Console} from '../../observe/logging/console.ts'
import {asBytes} from '../../model/bytes.ts'
import {rawLogs} from '../../observe/logging/raw-log.ts'
import type {RunLogWriter} from '../../observe/logging/run-log.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {Logs} from '../../supervisor/lifecycle-log.ts'
import type {RunOptions} from '../run-options.ts'
import type {Reporter} from '../../model/reporter.ts'
import {RUNTIME_VERSION} from '../../model/version.ts'

export interface LogsNeeds extends Pick<RunOptions, 'form' | 'output' | 'isTerminal' | 'isJson'> {
  readonly console: Console
  readonly runLog: RunLogWriter
  /** The app's name in the prefix and in file names. */
  readonly name: string
  /** Its index in the template. */
  readonly index: number
  readonly reporter: Reporter
}

/** Opens the two logs of an app, depending on the form of the run. */
export async function openLogs(app: AppPlan, needs: LogsNeeds): Promise<Logs> {
  const {form, output, isTerminal, isJson = false, console, name, index, reporter, runLog} = needs
  const source = {appId: app.id, instance: hostname(), version: RUNTIME_VERSION, isJson}
  if (form.kind === 'single') {
    const {err, shows} = form
    return rawLogs({out: text => output.write(text), err, keepsColours: isTerminal, runLog, shows, source})
  }
  const prefix = form.prefixOf(name, index)
  return openAppLogs({
    id: name,
    plan: app.logs,
    level: app.sidecar.logLevel,
    source,
    hasCommand: app.command.length > 0,
    startedAt: new Date(),
    console,
    ...(prefix !== undefined && {consolePrefix: asBytes(prefix)}),
    view: form.view,
    isTerminal,
    runLog,
    warn: text => reporter.warn('log-file-failed', text)
  })
}
