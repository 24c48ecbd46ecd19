import type {RunContext} from '../run-context.ts'
import {bypassHint, importHint, type Services} from '#daeploy'
import type {Exit} from '../../model/app-state.ts'
import type {Watchdog} from '../../supervisor/process/watchdog.ts'
import {Console} from '../../observe/logging/console.ts'
import {removeOldLogs} from '../../observe/logging/old-logs.ts'
import {RunLog} from '../../observe/logging/run-log.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {environmentOf} from '../../supervisor/environment.ts'
import type {Logs} from '../../supervisor/lifecycle-log.ts'
import {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {KeptExit} from '../../supervisor/crash-reporter.ts'
import type {AppRuntimeOptions} from '../../supervisor/app-runtime-options.ts'
import type {ServerRefusal} from '../foreign-servers.ts'
import type {RunPublished} from '../run-published.ts'
import type {RunSleep} from '../run-sleep.ts'
import type {RunSpans} from '../run-spans.ts'
import {openLogs} from './open-logs.ts'
import {withOwnAddress} from './own-address.ts'
import {allOrNone} from '../../platform/all-or-none.ts'
import type {SidecarPorts} from '../../proxy/ports/claim.ts'
import type {Routes} from '../../proxy/gateway/routes.ts'
import type {Note} from '../../supervisor/process/supervised.ts'
import {reportNote} from '../../supervisor/messages/note-text.ts'
import type {Reporter} from '../../model/reporter.ts'

/** How an app is opened during the run. */
export interface OpenMode {
  /** The user starts its first process in a debugger. */
  readonly isDebugged?: boolean | undefined
  /** `--except` has left the app to the user, who has not started it since. */
  readonly isExcepted?: boolean | undefined
}

export interface Opening extends OpenMode {
  /** The app that it replaces, with the same ports and index. */
  readonly previous?: AppRuntime | undefined
}

export interface AppRuntimesOptions extends RunContext {
  readonly routes: Routes<AppRuntime>
  readonly services: Services
  readonly published: RunPublished
  readonly spans: RunSpans
  readonly watchdog: Watchdog
  readonly serverRefusal: ServerRefusal
  /** Extra text for the error of a call that timed out in an app's queue. */
  readonly explain: (id: string, pendingCall: PendingCall) => string
  readonly sleep: RunSleep
  /** Called when a process exits unexpectedly. Returns what is recorded of the exit; undefined: nothing is. */
  readonly died: (runtime: AppRuntime, exit: Exit, hints: Reporter) => KeptExit | undefined
  /** The marker of an app process whose orphans survive the run. */
  readonly spare: (marker: string) => void
}

/** Creates the apps of a run, each with its logs, environment, markers and warnings. */
export class AppRuntimes {
  readonly #options: AppRuntimesOptions
  readonly #console: Console
  /** The output of all apps, in order. */
  readonly runLog = new RunLog()
  /** The app of each process, by its marker. */
  readonly #marked = new Map<string, string>()
  /** Ids of apps whose servers go into the background. */
  readonly #inBackground = new Set<string>()

  constructor(options: AppRuntimesOptions) {
    this.#options = options
    this.#console = new Console(options.output)
  }

  /** One for each app of the plan, in the plan's order. */
  async all(ports: readonly SidecarPorts[]): Promise<readonly AppRuntime[]> {
    return allOrNone(
      this.#options.plan.apps.map(async (app, index) => this.one(app, ports[index], index)),
      async runtime => runtime.closeLogs()
    )
  }

  /** `index`: its index in the template; `previous`: the app whose part of the run log it continues. */
  async one(
    app: AppPlan,
    ports: SidecarPorts | undefined,
    index: number,
    {previous, isDebugged, isExcepted: wasExcepted = false}: Opening = {}
  ): Promise<AppRuntime> {
    if (ports === undefined) throw new Error(`no ports for ${app.id}`)
    const {routes, reporter, excepted} = this.#options
    const name = routes.shownAs(app)
    const runLog = previous?.logs.app.runLog ?? this.runLog.writer(name)
    runLog.name = name
    const opened = await openLogs(app, {...this.#options, console: this.#console, runLog, name, index, reporter})
    const logs = {...opened, app: {...opened.app, sink: withOwnAddress(opened.app.sink, app)}}
    const isContinued = previous !== undefined
    const isExcepted = wasExcepted || (isDebugged === undefined && !isContinued && excepted?.has(app.id) === true)
    const openSleep = await this.#options.sleep.openFor(app)
    const mode = {isDebugged: isDebugged ?? isExcepted, isExcepted, openSleep}
    return this.#make(app, ports, {...logs, isContinued}, mode)
  }

  /** The id of the app whose process has this marker; '' = no app of the run. */
  appOf(marker: string): string {
    return this.#marked.get(marker) ?? ''
  }

  /** Removes old log files of earlier runs, none of `own`. A file that cannot be removed stays. */
  async removeOldLogs(own: readonly Logs[]): Promise<void> {
    const {plan, run, routes, env} = this.#options
    const apps = plan.apps.map(app => ({...app.logs, name: routes.shownAs(app)}))
    const files = own.flatMap(({app, sidecar}) => [app.path, sidecar.path])
    await removeOldLogs(apps, async () => {
      const {logsInUse} = await import('../../control/client.ts')
      const others = await logsInUse(env, run)
      return others && new Set([...others, ...files])
    })
  }

  #make(
    plan: AppPlan,
    ports: SidecarPorts,
    logs: Logs,
    mode: Pick<AppRuntimeOptions, 'isDebugged' | 'isExcepted' | 'openSleep'>
  ): AppRuntime {
    const {env, form, emit, services, published, watchdog, lifetime, explain, sleep, died, reporter, serverRefusal} =
      this.#options
    const runtime = new AppRuntime({
      explain: pendingCall => explain(plan.id, pendingCall),
      plan,
      ports,
      logs,
      environment: this.#environmentOf(plan, ports),
      nextMarker: app => this.#nextMarker(app),
      folderOf: app => services.workspaces.folderOf(app),
      maySpawn: () => !lifetime.isOver,
      serverRefusal,
      ...mode,
      watchdog,
      token: env['APP_API_TOKEN'] ?? '',
      single: form.kind === 'single' ? {input: form.input} : undefined,
      moved: () => {
        sleep.onMove(runtime)
        published.onMove(runtime, reporter)
        emit({type: 'app-moved', app: () => runtime.listing()})
      },
      ended: (exit, hints) => {
        emit({type: 'app-ended', id: plan.id, exit})
        importHint(runtime, hints)
        published.onEnd(runtime, exit, hints)
        return died(runtime, exit, hints)
      },
      reporter,
      noted: note => {
        if (note.type === 'not-ready') void reportNotReady(runtime, note, reporter)
        else if (note.type !== 'in-background' || !this.#inBackground.has(plan.id)) reportNote(reporter, plan.id, note)
        if (note.type === 'in-background') this.#inBackground.add(plan.id)
      }
    })
    return runtime
  }

  #environmentOf({logs}: AppPlan, ports: SidecarPorts): AppRuntimeOptions['environment'] {
    const {env, isTerminal, form, run, services, published, spans} = this.#options
    const isColoured = form.kind === 'template' && isTerminal && logs.app !== 'file'
    return (marker, plan, appPort) =>
      published.environment(
        services.environment(
          spans.environment(environmentOf(plan, {...ports, appPort}, env, {run, marker}, isColoured), plan),
          {plan, appPort, httpPort: ports.httpPort}
        ),
        {plan, appPort, env}
      )
  }

  #nextMarker({id, stop}: AppPlan): string {
    const {run, spare} = this.#options
    const marker = `${run}-${this.#marked.size + 1}`
    this.#marked.set(marker, id)
    if (stop.scope === 'group') spare(marker)
    return marker
  }
}

/** Reports that an app is not ready, and where it listens instead, if that is known. */
async function reportNotReady(runtime: AppRuntime, note: Note, reporter: Reporter): Promise<void> {
  const {portHint} = await import('../../supervisor/messages/port-hint.ts')
  reportNote(reporter, runtime.id, note, await portHint(runtime))
  await bypassHint(runtime, reporter)
}
