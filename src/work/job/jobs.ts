import {DEFAULT_POLICY, FiringSeries, type Delivered, type SeriesOptions} from '../series/series.ts'
import {checkJobName, JobError, jobKey, type Job, type JobRequest} from './job.ts'
import {JobStore, type JobChange, type JobsQuery} from './job-store.ts'
import {jobSchedule, latestDue, missedText, planOf} from './plan.ts'
import {NextChange} from '../../model/next-change.ts'

/** The kind of wake-ups of jobs. */
export const JOB = 'job'

/** The result of a delivered tick. */
export interface JobOutcome extends Delivered {
  /** Whether the app has no handler for the job: the tick counts as done. */
  readonly isMissing?: boolean
  /** Whether a process that accepts the tick is about to start. A skip of the clock waits for it. */
  readonly isExpected?: boolean
  /** Whether the process received the tick and has not answered. A manual run is then not repeated. */
  readonly wasSent?: boolean
}

/** Delivers a tick to an app; `waits`: waits while the app starts or reloads. */
export type DeliverJob = (job: Job, waits?: boolean) => Promise<JobOutcome>

interface Ticked extends JobOutcome {
  /** Planned time of the delivered tick; if several were missed, of the latest. */
  readonly planned: number | undefined
}

/** Maximum number of ticks delivered to one app at a time. The app's `app-max-concurrency` may queue some of them. */
const MAX_WITH_APP = 100

/** The due ticks of one app, each by the key of its job. */
interface AppJobs {
  due: number[]
  /** Ticks that the app could not accept, to be delivered first. */
  returned: number[]
  /** Number of deliveries under way. */
  busy: number
  /** How often the app has become ready. If that changes during a failed delivery, the tick is delivered again at once. */
  readies: number
  /** Resolves at the next delivery of ticks. */
  readonly next: NextChange
}

/** The jobs of a run (Dapr: its jobs API and scheduler): schedules them, and delivers their ticks to the apps. */
export class Jobs {
  readonly #options: SeriesOptions
  readonly #send: DeliverJob
  readonly #store: JobStore
  readonly #series: FiringSeries<Job, Ticked>
  readonly #apps = new Map<string, AppJobs>()
  /** Keys of jobs with a delivery under way, by `jobKey`: a job that replaces such a job waits until the app has answered. */
  readonly #withApps = new Map<string, number>()

  constructor(options: SeriesOptions, send: DeliverJob) {
    this.#options = options
    this.#send = send
    const store = (this.#store = new JobStore(options.file.database))
    this.#series = new FiringSeries<Job, Ticked>({
      ...options,
      kind: JOB,
      unit: 'tick',
      rows: store,
      nameOf: ({app, name}) => ({app, name}),
      title: ({name}) => `job ${name}`,
      onDue: job => {
        this.#enqueue(job)
        this.#pump(job.app)
      },
      deliver: async job => this.#deliver(job),
      advance: (job, ticked) => this.#advance(job, ticked),
      onRetry: ({key}, {planned, answer}) => store.update(key, {planned, answer})
    })
  }

  /** Schedules a job; resolves after the commit. Throws a JobError. */
  async schedule(app: string, request: JobRequest, isOverwriting: boolean): Promise<void> {
    checkJobName(app, request.name)
    const {file, wakeUps} = this.#options
    const begin = wakeUps.date()
    const {first, expires} = planOf(request, begin, wakeUps.ahead)
    const never = first === undefined ? `${request.schedule ?? ''} never comes` : 'its ttl ends before it comes'
    const isOver = (first ?? -Infinity) > (expires ?? Infinity)
    await file.change(() => {
      const existing = this.#store.find(app, request.name)
      if (existing !== undefined && !isOverwriting)
        throw new JobError('exists', `job already exists: '${jobKey(app, request.name)}'`)
      this.#series.remove(existing)
      if (isOver) return
      const {policy = DEFAULT_POLICY} = request
      const state = {count: 0, last: undefined, attempts: 0, isDue: false, isPaused: false, answer: ''}
      const job = {...request, app, policy, begin, planned: first, expires, ...state}
      this.#series.wake({...job, key: this.#store.insert(job)}, first)
    })
    if (first === undefined || isOver) this.#options.log(app, 'warn', `job ${request.name}: ${never}`)
  }

  /** Waits for pending writes, then finds a job. Throws a JobError. */
  async get(app: string, name: string): Promise<Job> {
    checkJobName(app, name)
    await this.#options.file.settled()
    const found = this.#store.find(app, name)
    if (found === undefined) throw new JobError('unknown', `job not found: ${name}`)
    return found
  }

  async list(app: string): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.of(app)
  }

  /** Returns a page of jobs, in the order in which they were scheduled. */
  async some(query: JobsQuery): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.some(query)
  }

  /** Returns the jobs of this name; `app`: '': of any app. */
  async named(name: string, app = ''): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.named(name, app)
  }

  /** Returns the current time of the file's clock, which skips advance. */
  date(): number {
    return this.#options.wakeUps.date()
  }

  /** How far skips have advanced the clock of jobs, in ms. */
  get aheadMs(): number {
    return this.#options.wakeUps.ahead
  }

  /** Imports jobs with their state. Replaces jobs of the same names. */
  async take(jobs: readonly Omit<Job, 'key'>[]): Promise<void> {
    await this.#options.file.change(() => {
      for (const job of jobs) {
        this.#series.remove(this.#store.find(job.app, job.name))
        const key = this.#store.insert(job)
        if (!job.isPaused) this.#series.wake({...job, key}, job.planned)
      }
    })
  }

  async delete(app: string, name: string): Promise<boolean> {
    checkJobName(app, name)
    return this.#options.file.change(() => this.#series.remove(this.#store.find(app, name)))
  }

  /** Deletes all jobs of an app whose names begin with a prefix; returns their number. */
  async deletePrefix(app: string, prefix: string): Promise<number> {
    return this.#options.file.change(() => {
      const found = this.#store.of(app).filter(({name}) => name.startsWith(prefix))
      for (const job of found) this.#series.remove(job)
      return found.length
    })
  }

  /** Delivers an extra tick now, or once its app accepts calls. Count and schedule do not change. Throws a JobError. */
  async run(app: string, name: string): Promise<JobOutcome> {
    const job = await this.get(app, name)
    const full = jobKey(app, name)
    if (this.#withApps.has(full))
      throw new JobError('busy', `job ${name} is run already: its app has it, or is to get it`)
    this.#withApps.set(full, job.key)
    const outcome = await this.#series.track(async () => this.#deliverTick(job, true))
    this.#withApps.delete(full)
    this.#pump(app)
    await this.#options.file.change(() => this.#store.update(job.key, {answer: outcome.answer})).catch(() => undefined)
    return outcome.wasSent === true ? {...outcome, kind: 'failed'} : outcome
  }

  /** Pauses a job: no tick is delivered until it is resumed. Ticks due meanwhile do not count as missed. Throws a JobError. */
  async pause(app: string, name: string): Promise<Job> {
    // a tick that its app is handling stays due until the answer; one that waits for its delivery is dropped
    return this.#set(app, name, job => ({
      isPaused: true,
      isDue: job.isDue && this.#withApps.get(jobKey(app, name)) === job.key
    }))
  }

  /** Resumes a job with the first tick that its schedule has from now on. Removes an expired job. Throws a JobError. */
  async resume(app: string, name: string): Promise<Job> {
    return this.#set(app, name, job => {
      const planned = job.isPaused && !job.isDue ? this.#firstFrom(job, this.date()) : job.planned
      return {isPaused: false, planned, attempts: planned === job.planned ? job.attempts : 0}
    })
  }

  appReady(app: string): void {
    const waiting = this.#apps.get(app)
    if (waiting !== undefined) waiting.readies++
    this.#pump(app)
  }

  close(): void {
    this.#series.isClosed = true
  }

  /** Changes a job, and plans its next tick again. */
  async #set(app: string, name: string, change: (job: Job) => JobChange): Promise<Job> {
    return this.#options.file.change(() => {
      const job = this.#store.find(app, name)
      if (job === undefined) throw new JobError('unknown', `job not found: ${name}`)
      const changed = change(job)
      this.#store.update(job.key, changed)
      const next = {...job, ...changed}
      if (!next.isPaused && !next.isDue && (next.planned ?? 0) > (job.expires ?? Infinity)) {
        this.#series.remove(job)
        return {...next, planned: undefined}
      }
      this.#options.wakeUps.removeOf(JOB, job.key)
      if (!next.isDue && !next.isPaused) this.#series.wake(next, next.planned)
      return next
    })
  }

  #firstFrom({planned, schedule}: Job, now: number): number | undefined {
    return planned === undefined || planned > now || schedule === undefined ? planned : jobSchedule(schedule).next(now)
  }

  #enqueue({key, app}: Job): void {
    const waiting = this.#apps.get(app)
    if (waiting !== undefined) return void waiting.due.push(key)
    this.#apps.set(app, {due: [key], returned: [], busy: 0, readies: 0, next: new NextChange()})
  }

  /** Begins the delivery of due ticks of an app, up to its limit. */
  #pump(app: string): void {
    const waiting = this.#apps.get(app)
    if (waiting === undefined || this.#series.isClosed) return
    waiting.next.happened()
    waiting.due.unshift(...waiting.returned.splice(0))
    for (const key of waiting.due.splice(0, MAX_WITH_APP - waiting.busy)) {
      waiting.busy++
      void this.#deliverAndPump(key, app, waiting)
    }
  }

  async #deliverAndPump(key: number, app: string, waiting: AppJobs): Promise<void> {
    const {readies} = waiting
    // rejects if the run ends before the result is stored: then the next run delivers the tick again
    const isTaken = await this.#deliverDue(key, app).catch(() => false)
    waiting.busy--
    if (isTaken || waiting.readies > readies) this.#pump(app)
  }

  /** Delivers the due tick of a job. Resolves with false if the app could not accept the tick, which then waits for the app. */
  async #deliverDue(key: number, app: string): Promise<boolean> {
    const job = this.#store.at(key)
    if (job === undefined) return this.#series.deliver(key)
    const name = jobKey(app, job.name)
    let isTaken = false
    // otherwise the app still handles an earlier tick of this name: of a replaced job, or a manual one
    if (!this.#withApps.has(name)) {
      this.#withApps.set(name, key)
      isTaken = await this.#series.deliver(key).finally(() => this.#withApps.delete(name))
    }
    if (!isTaken) this.#apps.get(app)?.returned.push(key)
    return isTaken
  }

  async #deliver(job: Job): Promise<Ticked> {
    const {at, passed} = this.#latest(job)
    const outcome = await this.#deliverTick({...job, planned: at})
    if (passed > 0 && outcome.kind !== 'undeliverable')
      this.#options.log(job.app, 'info', `job ${job.name}: ${missedText(passed)} missed ticks were passed over`)
    return {...outcome, planned: at}
  }

  async #deliverTick(job: Job, waits = false): Promise<JobOutcome> {
    const outcome = await this.#send(job, waits)
    if (outcome.isExpected === true) void this.#series.track(async () => this.#apps.get(job.app)?.next.promise)
    return outcome
  }

  /** Finds the latest due tick, the only one to deliver. `passed`: number of earlier ones, which are dropped. */
  #latest({schedule, planned, attempts, expires}: Job): {readonly at: number | undefined; readonly passed: number} {
    const {catchesUp = false} = this.#options
    if (schedule === undefined || planned === undefined || attempts > 0 || catchesUp) return {at: planned, passed: 0}
    return latestDue(jobSchedule(schedule), planned, Math.min(this.#options.wakeUps.date(), expires ?? Infinity))
  }

  /** Stores a finished tick. Returns the time of the next one; undefined: it was the last. */
  #advance({key, schedule, expires, repeats, ...job}: Job, {planned: at, answer}: Ticked): number | undefined {
    const last = at ?? this.date()
    const planned = schedule === undefined ? undefined : jobSchedule(schedule).next(last)
    const count = job.count + 1
    if (planned === undefined || planned > (expires ?? Infinity) || count >= (repeats ?? Infinity)) return undefined
    this.#store.update(key, {planned, count, last, answer})
    return planned
  }
}
