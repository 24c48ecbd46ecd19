import type {RunContext} from './run-context.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {ResourceSnapshot} from '../files/resources/app-resources.ts'
import type {Actors} from '../work/actor/actors.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {mayConnect} from '../work/skip.ts'
import {statSync} from 'node:fs'
import {systemClock} from '../platform/clock.ts'
import {shrink} from '../platform/database-file.ts'
import {Once} from '../model/once.ts'
import type {LogLevel} from '../model/plan.ts'
import {isActorStore, NO_ACTOR_STORE} from '../files/resources/components.ts'
import {DEFAULT_WORKFLOWS} from '../files/resources/defaults.ts'
import {isAccessAllowed} from '../files/resources/workflow-access.ts'
import type {WorkflowAccess, WorkflowSettings} from '../model/workflow-settings.ts'
import type {Reminders} from '../work/actor/reminders.ts'
import type {SeriesOptions} from '../work/series/series.ts'
import {Outbox} from '../work/outbox.ts'
import {TriggerStore} from '../work/trigger-store.ts'
import {WakeUps} from '../work/wake-ups.ts'
import {WorkFile} from '../work/work-file.ts'
import {WorkflowStore, type ActiveInstances} from '../work/workflow/workflow-store.ts'
import {JobStore, type JobCount} from '../work/job/job-store.ts'
import {Jobs} from '../work/job/jobs.ts'
import {Workflows} from '../work/workflow/workflows.ts'
import {jobDelivery} from './run-jobs.ts'
import {StallReporter} from './stall-reporter.ts'

export interface RunWorkOptions extends Pick<RunContext, 'plan' | 'env' | 'workMode' | 'reporter'> {
  readonly runtimes: () => readonly AppRuntime[]
  /** Returns the resources of an app, also of one that is stopped or left out. */
  readonly resourcesOf: (app: string) => ResourceSnapshot | undefined
  /** Reads the resources of apps that the run leaves out: their policies decide about work for them. */
  readonly knowLeftOut: () => Promise<void>
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  /** Called when work of workflows waits for an app that has no worker. */
  readonly needsWorker: (app: string) => void
  /** Called when the first worker of an app has connected. */
  readonly hasWorker: (app: string) => void
  readonly actors: () => Promise<Actors>
}

/** The log line of the sidecar when the first worker of an app connects, and the app has no state store for actors. */
const WITHOUT_STORE =
  'workflows are kept in a file of the template: no state store is needed; a real Dapr needs one with actorStateStore: "true"'
/** Size from which the run reports the file at its start. */
const LARGE_BYTES = 100e6

/** The open file of workflows, jobs and reminders, with its users. */
export class OpenWork {
  readonly workflows: Workflows
  readonly jobs: Jobs
  readonly outbox: Outbox
  readonly triggers: TriggerStore
  /** The unfinished workflows of an earlier run, counted by app. */
  readonly left: readonly ActiveInstances[]
  readonly #leftJobs: readonly JobCount[]
  readonly #file: WorkFile
  readonly #wakeUps: WakeUps
  readonly #options: RunWorkOptions
  readonly #stalls: StallReporter
  /** Whether the missing actor store was reported. */
  #lacksActorStore = false
  readonly #reminders = new Once<Reminders>()

  /** Opens the file of work. `path`: undefined for work in memory. Rejects with errors of the file system and of SQLite. */
  static async open(options: RunWorkOptions, path: string | undefined): Promise<OpenWork> {
    const {reporter} = options
    const warn = (text: string): void => reporter.warn('work-file', text)
    return WorkFile.openFor(path, warn, file => new OpenWork(file, options))
  }

  constructor(file: WorkFile, options: RunWorkOptions) {
    const {runtimes, workMode, resourcesOf, sidecars, needsWorker, reporter} = options
    this.#options = options
    this.#file = file
    this.#stalls = new StallReporter(reporter, systemClock)
    this.left = new WorkflowStore(file.database).active(systemClock.date())
    this.#leftJobs = new JobStore(file.database).counts(systemClock.date())
    if (workMode === 'forgotten') file.empty()
    const smaller = shrink(file.database)
    if (smaller !== '') reporter.tell(`${file.database.location() ?? ''} ${smaller}`)
    this.#wakeUps = new WakeUps(file, systemClock)
    this.outbox = new Outbox(file)
    this.triggers = new TriggerStore(file)
    const warn = (app: string, message: string): void => this.#log(app, 'warn', message)
    const hasApp = (app: string): boolean => runtimes().some(({id}) => id === app)
    const maxBytes = (app: string): number =>
      runtimes().find(({id}) => id === app)?.plan.sidecar.maxBodyBytes || Infinity
    const settings = (app: string): WorkflowSettings => resourcesOf(app)?.configuration.workflows ?? DEFAULT_WORKFLOWS
    const isAllowed = (app: string, access: WorkflowAccess): boolean =>
      access.caller === app || isAccessAllowed(resourcesOf(app)?.accessPolicies ?? [], access)
    try {
      this.workflows = new Workflows({
        file,
        wakeUps: this.#wakeUps,
        clock: systemClock,
        warn,
        onMuchWaiting: (app, count, bytes) =>
          reporter.warn(
            'workflows-wait',
            `no worker of "${app}" has taken ${count} workflows: ${Math.round(bytes / 2 ** 20)} MiB wait in the file of what outlives a run`
          ),
        hasApp,
        maxBytes,
        settings,
        isAllowed,
        needsWorker: (app, leftAt) => {
          needsWorker(app)
          return runtimes().some(each => each.id === app && mayConnect(each, leftAt))
        },
        onFirstWorker: app => this.#onFirstWorker(app),
        tracesOf: app => runtimes().find(({id}) => id === app)?.opening.counters?.workTraces,
        counted: (app, event) => {
          const runtime = runtimes().find(({id}) => id === app)
          runtime?.opening.counters?.worked(event)
          runtime?.sleep.onWork()
        }
      })
      this.jobs = new Jobs(this.#series('dapr.runtime.scheduler'), jobDelivery(sidecars))
      this.workflows.onChanged(instance => this.#stalls.note(instance))
    } catch (error) {
      this.#wakeUps.close() // after a failure the timer of the first wake-up is running already
      throw error
    }
  }

  /** The options that jobs and reminders share; `scope`: the name under which they log. */
  #series(scope: string): SeriesOptions {
    return {
      file: this.#file,
      wakeUps: this.#wakeUps,
      clock: systemClock,
      catchesUp: this.#options.plan.catchUp === 'all',
      log: (app, level, text) => this.#log(app, level, text, scope)
    }
  }

  #log(app: string, level: LogLevel, message: string, scope = 'dapr.wfengine'): void {
    const runtime = this.#options.runtimes().find(({id}) => id === app)
    runtime?.logs.sidecar.log({level, message, scope})
  }

  /** Warns if there are state stores but none for actors. A real Dapr needs one, so workflows would fail only in the deployment. */
  #onFirstWorker(app: string): void {
    const {resourcesOf, hasWorker, reporter} = this.#options
    hasWorker(app)
    const components = resourcesOf(app)?.components ?? []
    if (components.some(isActorStore)) return
    this.#log(app, 'info', WITHOUT_STORE)
    const hasStore = components.some(({type}) => type.startsWith('state.'))
    if (hasStore && !this.#lacksActorStore) reporter.warn('no-actor-store', `workflows of "${app}": ${NO_ACTOR_STORE}`)
    this.#lacksActorStore ||= hasStore
  }

  /** Number of reminders of actors in the file. */
  get reminderCount(): number {
    return Number(this.#file.database.prepare('SELECT count(*) AS count FROM reminders').get()?.['count'])
  }

  /** The number of reminders that an app has set, by type. */
  remindersOf(app: string): ReadonlyMap<string, number> {
    const rows = this.#file.database.prepare(
      'SELECT type, count(*) AS count FROM reminders WHERE app = ? GROUP BY type'
    )
    return new Map(rows.all(app).map(({type, count}) => [String(type), Number(count)]))
  }

  /** Loads the reminders of actors. */
  readonly reminders = async (): Promise<Reminders> =>
    this.#reminders.do(async () => {
      const [{Reminders: Table}, {run}] = await Promise.all([
        import('../work/actor/reminders.ts'),
        this.#options.actors()
      ])
      return new Table(this.#series('dapr.runtime.actor.reminders'), run)
    })

  /** Reports waiting work of an earlier run, and a large file. */
  tellLeft({reporter, runtimes, workMode}: RunWorkOptions, path: string): void {
    const all = [
      ...this.left.map(each => ({...each, word: 'workflow', late: counted(each.overdue, 'timer')})),
      ...this.#leftJobs.map(each => ({...each, word: 'job', late: `${each.overdue}`}))
    ]
    for (const {app, count, overdue, word, late} of all) {
      const some = counted(count, word)
      if (workMode === 'forgotten') reporter.tell(`${app}: forgets ${some} (--forget)`)
      else if (runtimes().some(({id}) => id === app))
        reporter.tell(`${app}: ${some} ${count === 1 ? 'goes' : 'go'} on${overdue === 0 ? '' : ` (${late} overdue)`}`)
      else this.#warnWaiting(app, count, some)
    }
    const {reminderCount: count} = this
    if (count > 0)
      reporter.tell(`${count === 1 ? '1 reminder' : `${count} reminders`} of actors ${count === 1 ? 'waits' : 'wait'}`)
    const {size} = statSync(path)
    if (size > LARGE_BYTES)
      reporter.warn(
        'work-left',
        `${path} has ${Math.round(size / 1e6)} MB: "pillion workflow purge --all-older-than 720h" removes what is over`
      )
  }

  /** Reports the work that waits for an app which has left the template. */
  tellWaiting(app: string): void {
    this.workflows.mayTakeMore()
    const now = systemClock.date()
    const {count = 0} = new WorkflowStore(this.#file.database).active(now).find(each => each.app === app) ?? {}
    if (count > 0) this.#warnWaiting(app, count, counted(count, 'workflow'))
  }

  #warnWaiting(app: string, count: number, some: string): void {
    const text = `${some} of "${app}" ${count === 1 ? 'waits' : 'wait'}: the template has no such app`
    this.#options.reporter.warn('work-left', text)
  }

  /** A line for each workflow that has failed or still waits. */
  unfinished(): readonly string[] {
    return this.workflows.unfinished()
  }

  async close(): Promise<void> {
    const reminders = await this.#reminders.begun?.catch(() => undefined)
    reminders?.close()
    this.workflows.close()
    this.jobs.close()
    this.#wakeUps.close()
    this.#file.close()
  }
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
