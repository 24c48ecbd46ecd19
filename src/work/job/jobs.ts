import {DEFAULT_POLICY, FiringSeries, type Delivered, type SeriesOptions} from '../series/series.ts'
import {checkJobName, JobError, jobKey, type Job, type JobRequest} from './job.ts'
import {JobStore, type JobChange, type JobsQuery} from './job-store.ts'
import {jobSchedule, latestDue, missedText, planOf} from './plan.ts'
import {NextChange} from '../../model/next-change.ts'

/** The kind of wake-ups of jobs. */
export const JOB = 'job'

/** The result of a delivered tick. */
export interface JobOutcome extends Delivered {
  /** The tick is done, since the app has no handler for the job. */
  readonly isMissing?: boolean
  /** Whether a process that accepts it is about to start, for which a skip waits. */
  readonly isExpected?: boolean
  /** Whether its process got it and gave no answer. A manual run is not repeated by another process. */
  readonly wasSent?: boolean
}

/** Delivers a tick to an app; `waits`: also if the app starts or reloads first. Rejects if it could not even be tried. */
export type DeliverJob = (job: Job, waits?: boolean) => Promise<JobOutcome>

interface Ticked extends JobOutcome {
  /** The planned time, of the latest tick if several were missed. */
  readonly planned: number | undefined
}

/** Maximum number of ticks that one app may have at a time, before its own limit of concurrency. */
const MAX_WITH_APP = 100

interface AppJobs {
  due: number[]
  /** Ticks that the app could not accept, to be delivered first. */
  returned: number[]
  busy: number
  /** How often the app has become ready: a delivery that failed before that may be tried again. */
  readies: number
  /** The next delivery of its ticks. */
  readonly next: NextChange
}

export class Jobs {
  readonly #options: SeriesOptions
  readonly #send: DeliverJob
  readonly #store: JobStore
  readonly #series: FiringSeries<Job, Ticked>
  readonly #apps = new Map<string, AppJobs>()
  /** Ticks that their apps have now, by the names of the jobs: a job that was scheduled again waits until its app has answered. */
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

  /** Schedules a job; settles when it is kept. Throws a JobError. */
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

  /** Jobs in the order in which they were scheduled. */
  async some(query: JobsQuery): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.some(query)
  }

  /** Jobs of this name; `app`: '': of any app. */
  async named(name: string, app = ''): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.named(name, app)
  }

  /** Returns the time of the file: the clock's, and all skips. */
  date(): number {
    return this.#options.wakeUps.date()
  }

  /** How far the times of jobs are ahead of the clock of the machine, in ms. */
  get aheadMs(): number {
    return this.#options.wakeUps.ahead
  }

  /** Adds jobs with their whole state; jobs of the same names are replaced. */
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

  /** Delivers a tick now, or once its app accepts calls, in addition to the plan and uncounted. Throws a JobError. */
  async run(app: string, name: string): Promise<JobOutcome> {
    const job = await this.get(app, name)
    const full = jobKey(app, name)
    if (this.#withApps.has(full))
      throw new JobError('busy', `job ${name} is run already: its app has it, or is to get it`)
    this.#withApps.set(full, job.key)
    const outcome = await this.#series.track(async () => this.#bring(job, true))
    this.#withApps.delete(full)
    this.#pump(app)
    await this.#options.file.change(() => this.#store.update(job.key, {answer: outcome.answer})).catch(() => undefined)
    return outcome.wasSent === true ? {...outcome, kind: 'failed'} : outcome
  }

  /** Pauses a job: no tick is delivered until it is resumed. Ticks due meanwhile do not count as missed. Throws a JobError. */
  async pause(app: string, name: string): Promise<Job> {
    // a tick under way stays due until its answer, a waiting tick does not
    return this.#set(app, name, job => ({
      isPaused: true,
      isDue: job.isDue && this.#withApps.get(jobKey(app, name)) === job.key
    }))
  }

  /** Resumes a job: its next tick is the first of the plan from now on. A job whose time is over is removed. Throws a JobError. */
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

  #pump(app: string): void {
    const waiting = this.#apps.get(app)
    if (waiting === undefined || this.#series.isClosed) return
    waiting.next.happened()
    waiting.due.unshift(...waiting.returned.splice(0))
    for (const key of waiting.due.splice(0, MAX_WITH_APP - waiting.busy)) {
      waiting.busy++
      void this.#hand(key, app, waiting)
    }
  }

  async #hand(key: number, app: string, waiting: AppJobs): Promise<void> {
    const {readies} = waiting
    // a result that cannot be kept as the run ends is delivered again by the next run
    const isTaken = await this.#tick(key, app).catch(() => false)
    waiting.busy--
    if (isTaken || waiting.readies > readies) this.#pump(app)
  }

  /** Delivers one tick. Resolves with false if the app could not accept it, so that it waits for the app. */
  async #tick(key: number, app: string): Promise<boolean> {
    const job = this.#store.at(key)
    if (job === undefined) return this.#series.deliver(key)
    const name = jobKey(app, job.name)
    // the app still has an earlier tick: from before a change of the job, or a manual one
    let isTaken = false
    if (!this.#withApps.has(name)) {
      this.#withApps.set(name, key)
      isTaken = await this.#series.deliver(key).finally(() => this.#withApps.delete(name))
    }
    if (!isTaken) this.#apps.get(app)?.returned.push(key)
    return isTaken
  }

  async #deliver(job: Job): Promise<Ticked> {
    const {at, passed} = this.#latest(job)
    const outcome = await this.#bring({...job, planned: at})
    if (passed > 0 && outcome.kind !== 'undeliverable')
      this.#options.log(job.app, 'info', `job ${job.name}: ${missedText(passed)} missed ticks were passed over`)
    return {...outcome, planned: at}
  }

  async #bring(job: Job, waits = false): Promise<JobOutcome> {
    const outcome = await this.#send(job, waits)
    if (outcome.isExpected === true) void this.#series.track(async () => this.#apps.get(job.app)?.next.promise)
    return outcome
  }

  /** Finds the latest missed tick, the only one to be delivered. `passed`: number of the others. */
  #latest({schedule, planned, attempts, expires}: Job): {readonly at: number | undefined; readonly passed: number} {
    const {catchesUp = false} = this.#options
    if (schedule === undefined || planned === undefined || attempts > 0 || catchesUp) return {at: planned, passed: 0}
    return latestDue(jobSchedule(schedule), planned, Math.min(this.#options.wakeUps.date(), expires ?? Infinity))
  }

  #advance({key, schedule, expires, repeats, ...job}: Job, {planned: at, answer}: Ticked): number | undefined {
    const last = at ?? this.date()
    const planned = schedule === undefined ? undefined : jobSchedule(schedule).next(last)
    const count = job.count + 1
    if (planned === undefined || planned > (expires ?? Infinity) || count >= (repeats ?? Infinity)) return undefined
    this.#store.update(key, {planned, count, last, answer})
    return planned
  }
}
