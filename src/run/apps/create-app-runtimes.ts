import type {RunContext} from '../run-context.ts'
import {inNetwork} from '../../platform/containers.ts'
import {bypassHint, importHint, type Services} from '#daeploy'
import type {Exit} from '../../model/app-state.ts'
import type {Watchdog} from '../../supervisor/process/watchdog.ts'
import {Console} from '../../observe/logging/console.ts'
import {removeOldLogs} from '../../observe/logging/old-logs.ts'
import {RunLog, type RunLogWriter} from '../../observe/logging/run-log.ts'
import {withAddresses} from '../../model/app-reference.ts'
import {numberPlace} from '../../proxy/ports/app-port.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {environmentOf} from '../../supervisor/environment.ts'
import type {Logs} from '../../supervisor/lifecycle-log.ts'
import {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Starter} from '../../supervisor/owner/next-step.ts'
import type {KeptExit} from '../../supervisor/crash-reporter.ts'
import type {AppRuntimeOptions, OpeningOptions} from '../../supervisor/app-runtime-options.ts'
import type {ServerRefusal} from '../foreign-servers.ts'
import type {RunNames} from '../run-names.ts'
import {type RunPublished, withOwnAddress} from '../run-published.ts'
import type {RunSleep} from '../run-sleep.ts'
import type {RunSpans} from '../run-spans.ts'
import {openLogs} from './open-logs.ts'
import {allOrNone} from '../../platform/in-parallel.ts'
import type {SidecarPorts} from '../../proxy/ports/claim.ts'
import type {Routes} from '../../proxy/gateway/routes.ts'
import type {Note} from '../../supervisor/process/supervised.ts'
import {reportNote} from '../../supervisor/messages/note-text.ts'
import type {Reporter} from '../../model/reporter.ts'

/** How an app is opened during the run. */
export interface OpenRequest {
  /** The app, if it was open before: it keeps its place, and its ports unless the plan sets others. */
  readonly previous?: AppRuntime | undefined
  /** Starter of the first process of a new app. Omitted: the run, unless `--except` names the app. */
  readonly person?: Starter | undefined
}

export interface AppRuntimesOptions extends RunContext {
  readonly routes: Routes<AppRuntime>
  readonly services: Services
  readonly published: RunPublished
  readonly names: RunNames
  readonly spans: RunSpans
  readonly watchdog: Watchdog
  readonly serverRefusal: ServerRefusal
  /** Extra text for the error of a call that timed out in an app's queue. */
  readonly explain: (id: string, pendingCall: PendingCall) => string
  readonly sleep: RunSleep
  /** Called when a process exits unexpectedly. Returns the recorded exit, if any. */
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

  /** Creates an object for each app of the plan, in the plan's order. */
  async all(ports: readonly SidecarPorts[]): Promise<readonly AppRuntime[]> {
    return allOrNone(
      this.#options.plan.apps.map(async (app, index) => this.one(app, ports[index], index)),
      async runtime => runtime.opening.closeLogs()
    )
  }

  /** Creates an app; `index`: its index in the template. */
  async one(plan: AppPlan, ports: SidecarPorts | undefined, index: number, person?: Starter): Promise<AppRuntime> {
    const runLog = this.runLog.writer('')
    const usual = this.#options.excepted?.has(plan.id) === true ? 'excepted' : 'none'
    return this.#make(plan, {...(await this.#openingOf(plan, {ports, index, runLog})), person: person ?? usual})
  }

  /** Opens an app again with a plan after its processes have ended. The app keeps its part of the run's log. */
  async again(runtime: AppRuntime, plan: AppPlan, ports: SidecarPorts | undefined, index: number): Promise<void> {
    const {runLog} = runtime.logs.app
    runtime.reopen(await this.#openingOf(plan, {ports, index, runLog}))
  }

  async #openingOf(
    plan: AppPlan,
    at: {readonly ports: SidecarPorts | undefined; readonly index: number; readonly runLog: RunLogWriter}
  ): Promise<Omit<OpeningOptions, 'person'>> {
    const {ports, index, runLog} = at
    if (ports === undefined) throw new Error(`no ports for ${plan.id}`)
    const {routes, reporter, sleep} = this.#options
    const name = routes.shownAs(plan)
    runLog.name = name
    const opened = await openLogs(plan, {...this.#options, console: this.#console, runLog, name, index, reporter})
    const logs = {...opened, app: {...opened.app, sink: withOwnAddress(opened.app.sink, plan)}}
    const openSleep = await sleep.openFor(plan)
    return {plan, ports, logs, environment: this.#environmentOf(plan, ports), openSleep}
  }

  /** The id of the app whose process has this marker; '': no app of the run. */
  appOf(marker: string): string {
    return this.#marked.get(marker) ?? ''
  }

  /** Removes old log files of earlier runs, except `own`. A file that cannot be removed stays. */
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

  #make({id}: AppPlan, first: OpeningOptions): AppRuntime {
    const {
      env,
      form,
      run,
      emit,
      services,
      published,
      names,
      watchdog,
      lifetime,
      explain,
      sleep,
      died,
      reporter,
      serverRefusal
    } = this.#options
    const options: AppRuntimeOptions = {
      explain: pendingCall => explain(id, pendingCall),
      nextMarker: app => this.#nextMarker(app),
      folderOf: app => services.workspaces.folderOf(app),
      wordsOf: words =>
        inNetwork(
          words.map(word => withAddresses(word, names.addressOf)),
          run
        ),
      maySpawn: () => !lifetime.isOver,
      serverRefusal,
      watchdog,
      token: env['APP_API_TOKEN'] ?? '',
      single: form.kind === 'single' ? {input: form.input} : undefined,
      moved: () => {
        sleep.onMove(runtime)
        published.onMove(runtime, reporter)
        emit({type: 'app-moved', app: () => ({...runtime.listing(), ...names.factsOf(id)})})
      },
      ended: (exit, hints) => {
        emit({type: 'app-ended', id, exit})
        importHint(runtime, hints)
        published.onEnd(runtime, exit, hints)
        return died(runtime, exit, hints)
      },
      reporter,
      noted: note => {
        if (note.type === 'not-ready') void reportNotReady(runtime, note, reporter)
        else if (note.type !== 'in-background' || !this.#inBackground.has(id))
          reportNote(reporter, id, note, this.#hintOf(note))
        if (note.type === 'in-background') this.#inBackground.add(id)
      }
    }
    const runtime = new AppRuntime(options, first)
    return runtime
  }

  /** The place of a port that is taken. */
  #hintOf(note: Note): string {
    const place = note.type === 'port-taken' ? numberPlace(this.#options.plan, note.port) : undefined
    return place === undefined ? '' : `see ${place.file}:${place.line}:${place.column}`
  }

  #environmentOf({logs}: AppPlan, ports: SidecarPorts): OpeningOptions['environment'] {
    const {env: outer, isTerminal, form, run, services, published, spans, names} = this.#options
    const isColoured = form.kind === 'template' && isTerminal && logs.app !== 'file'
    const resolved = ({env, ...plan}: AppPlan): AppPlan => {
      const values = Object.entries(env).map(([name, value]) => [name, withAddresses(value, names.addressOf)] as const)
      return {...plan, env: Object.fromEntries(values)}
    }
    return (marker, written, appPort) => {
      const plan = resolved(written)
      const env = {...outer, ...hostVariables(plan), PILLION_URL: names.urlOf(plan.id) || undefined}
      return published.environment(
        services.environment(
          spans.environment(environmentOf(plan, {...ports, appPort}, env, {run, marker}, isColoured), plan),
          {plan, appPort, httpPort: ports.httpPort}
        ),
        {plan, appPort, env}
      )
    }
  }

  #nextMarker({id, stop}: AppPlan): string {
    const {run, spare} = this.#options
    const marker = `${run}-${this.#marked.size + 1}`
    this.#marked.set(marker, id)
    if (stop.scope === 'group') spare(marker)
    return marker
  }
}

/** Lets Vite and Rails accept the name of an app outside of `.localhost`, which they accept anyway. */
const hostVariables = ({host = ''}: AppPlan): Record<string, string> =>
  host.includes('.') && !host.endsWith('.localhost')
    ? {__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS: host, RAILS_DEVELOPMENT_HOSTS: host}
    : {}

/** Reports that an app is not ready, and where it listens instead, if known. */
async function reportNotReady(runtime: AppRuntime, note: Note, reporter: Reporter): Promise<void> {
  const {portHint} = await import('../../supervisor/messages/port-hint.ts')
  reportNote(reporter, runtime.id, note, await portHint(runtime))
  await bypassHint(runtime, reporter)
}
