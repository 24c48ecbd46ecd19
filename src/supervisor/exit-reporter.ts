import {succeeded, type Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import {nameOfCheck} from '../proxy/gateway/health-check.ts'
import type {AppRuntimeOptions} from './app-runtime-options.ts'
import {lookPathFault} from './command.ts'
import {CrashReporter, type EndedApp} from './crash-reporter.ts'
import type {LifecycleLog} from './lifecycle-log.ts'

interface Ending extends Pick<EndedApp, 'app' | 'loop' | 'plan'> {
  /** The PATH of the process. */
  readonly searchPath: () => string
}

/** Reports what happens to the processes of an app by itself: exits, with the reasons of failures, and changes of health. */
export class ExitReporter {
  readonly #name: string
  readonly #reporter: Reporter
  readonly #log: LifecycleLog
  readonly #crashes: CrashReporter
  readonly #ended: AppRuntimeOptions['ended']

  constructor(name: string, log: LifecycleLog, {reporter, single, ended}: AppRuntimeOptions) {
    this.#name = name
    this.#reporter = reporter
    this.#log = log
    this.#crashes = new CrashReporter(name, reporter, single !== undefined)
    this.#ended = ended
  }

  report(exit: Exit, {plan, app, loop, searchPath}: Ending): void {
    this.#log.ended(exit)
    const fault = whyNotSpawned(exit, plan, searchPath)
    const kept = this.#ended(fault === '' ? exit : {kind: 'spawn-error', message: fault})
    if (!succeeded(exit)) this.#crashes.explain(exit, {plan, app, kept, loop, searchPath})
  }

  reportHealth(isHealthy: boolean, plan: AppPlan): void {
    this.#log.healthChanged(isHealthy)
    if (isHealthy) return
    const text = `"${this.#name}" is not healthy: its health check ${nameOfCheck(plan)} fails. It gets no calls until the check succeeds`
    this.#reporter.warn('app-unhealthy', text)
  }
}

const whyNotSpawned = ({kind}: Exit, {command, folder}: AppPlan, searchPath: () => string): string =>
  kind === 'spawn-error' ? lookPathFault(command, folder, searchPath()) : ''
