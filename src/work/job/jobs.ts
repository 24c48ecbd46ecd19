import type {LogLevel} from '../../model/plan.ts'
import type {Clock} from '../../platform/clock.ts'
import {keep} from '../keep.ts'
import {Quiet} from '../quiet.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import {checkJobName, DEFAULT_POLICY, JobError, jobKey, type Job, type JobRequest} from './job.ts'
import {JobStore, type JobChange, type JobCount, type JobsQuery} from './job-store.ts'
import {jobSchedule, latestDue, missedText, planOf} from './plan.ts'

/** The kind of wake-ups of jobs. */
export const JOB = 'job'

/** What became of a tick: `undeliverable`: the app has not got it, and will later. `answer`: in words. */
export interface JobOutcome {
  readonly kind: 'done' | 'failed' | 'undeliverable'
  readonly answer: string
  /** Done, since the app knows no such job. */
  readonly isMissing?: boolean
}

export interface JobsOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  /** Brings a tick to an app. Never rejects. */
  readonly deliver: (job: Job) => Promise<JobOutcome>
  /** All ticks of a schedule come that were missed, not only the latest. */
  readonly catchesUp?: boolean
  /** Writes to the log of an app's sidecar. */
  readonly log: (app: string, level: LogLevel, text: string) => void
  readonly clock: Clock
}

/** So many ticks of one app are with it at a time: it has its own limit behind that. */
const MAX_WITH_APP = 100

/** What waits for one app. */
interface AppJobs {
  /** Keys of due jobs, in their order. */
  due: number[]
  /** Those that it could not take; they come first. */
  returned: number[]
  /** How many it has now. */
  busy: number
  /** How often it was ready: one that it could not take may be told of after that. */
  readies: number
}

/**
 * The jobs of a run (Dapr: its scheduler, and diagridio/go-etcd-cron). What falls due is marked in the file with the change
 * that fires it, then delivered; what was under way when a run ended is delivered by the next one.
 */
export class Jobs {
  readonly #options: JobsOptions
  readonly #store: JobStore
  readonly #apps = new Map<string, AppJobs>()
  /** Those that are with their apps, by their names: one that is set again waits until its app has answered. */
  readonly #withApps = new Map<string, number>()
  readonly #quiet: Quiet
  #isClosed = false

  constructor(options: JobsOptions) {
    const {file, wakeUps} = options
    this.#options = options
    this.#store = new JobStore(file.database)
    for (const job of this.#store.due()) this.#enqueue(job)
    this.#quiet = new Quiet(options.clock, () => this.#withApps.size > 0)
    wakeUps.serve(JOB, ({owner}) => this.#fire(owner), {isSeries: true})
    wakeUps.onSettle(async maxMs => this.#quiet.within(maxMs))
    setImmediate(() => {
      for (const app of this.#apps.keys()) this.#pump(app)
    })
  }

  /** Schedules a job; settles when it is kept. Throws a JobError. */
  async schedule(app: string, request: JobRequest, isOverwriting: boolean): Promise<void> {
    checkJobName(app, request.name)
    const {file, wakeUps} = this.#options
    const begin = wakeUps.date()
    const {first, expires} = planOf(request, begin)
    await file.change(() => {
      const existing = this.#store.find(app, request.name)
      if (existing !== undefined && !isOverwriting)
        throw new JobError('exists', `job already exists: '${jobKey(app, request.name)}'`)
      if (existing !== undefined) this.#remove(existing)
      if (first !== undefined && expires !== undefined && first > expires) return
      const {policy = DEFAULT_POLICY} = request
      const state = {count: 0, last: undefined, attempts: 0, isDue: false, isPaused: false, answer: ''}
      const key = this.#store.insert({...request, app, policy, begin, planned: first, expires, ...state})
      this.#wake({key, app, name: request.name}, first)
    })
    if (first === undefined) this.#log(app, 'warn', `job ${request.name}: ${request.schedule ?? ''} never comes`)
  }

  /** Settles when what is found is kept. Throws a JobError. */
  async get(app: string, name: string): Promise<Job> {
    checkJobName(app, name)
    await this.#options.file.settled()
    const found = this.#store.find(app, name)
    if (found === undefined) throw new JobError('unknown', `job not found: ${name}`)
    return found
  }

  /** Those of an app, by name. */
  async list(app: string): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.of(app)
  }

  /** Some of all, in the order in which they were scheduled. */
  async some(query: JobsQuery): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.some(query)
  }

  /** Those with a name; `app`: '' = of any app. */
  async named(name: string, app = ''): Promise<readonly Job[]> {
    await this.#options.file.settled()
    return this.#store.named(name, app)
  }

  /** How many there are, and how many of them are overdue, by app. */
  get counts(): readonly JobCount[] {
    return this.#store.counts(this.date())
  }

  /** The time by which jobs fall due: that of the clock, and what was skipped. */
  date(): number {
    return this.#options.wakeUps.date()
  }

  /** Keeps jobs with all that has become of them; those of their names are replaced. */
  async take(jobs: readonly Omit<Job, 'key'>[]): Promise<void> {
    await this.#options.file.change(() => {
      for (const job of jobs) {
        const {app, name, planned, isPaused} = job
        const existing = this.#store.find(app, name)
        if (existing !== undefined) this.#remove(existing)
        const key = this.#store.insert(job)
        if (!isPaused) this.#wake({key, app, name}, planned)
      }
    })
  }

  /** Whether there was one. */
  async delete(app: string, name: string): Promise<boolean> {
    checkJobName(app, name)
    return this.#options.file.change(() => {
      const found = this.#store.find(app, name)
      if (found !== undefined) this.#remove(found)
      return found !== undefined
    })
  }

  /** All of an app whose names begin so; how many. */
  async deletePrefix(app: string, prefix: string): Promise<number> {
    return this.#options.file.change(() => {
      const found = this.#store.of(app).filter(({name}) => name.startsWith(prefix))
      for (const job of found) this.#remove(job)
      return found.length
    })
  }

  /** Delivers it now, which counts nothing. Throws a JobError. */
  async run(app: string, name: string): Promise<JobOutcome> {
    const job = await this.get(app, name)
    const full = jobKey(app, name)
    if (this.#withApps.has(full)) throw new JobError('busy', `job ${name} is with its app already`)
    this.#withApps.set(full, job.key)
    const outcome = await this.#options.deliver(job)
    this.#left(full)
    this.#pump(app)
    await this.#set(app, name, now => ({...now, answer: outcome.answer})).catch(() => undefined) // it may have been deleted
    return outcome
  }

  /** No tick comes until it is resumed; what falls due meanwhile is not missed. Throws a JobError. */
  async pause(app: string, name: string): Promise<Job> {
    // one that is with its app stays due until that has answered; one that waits for its app does not
    return this.#set(app, name, job => ({...job, isPaused: true, isDue: job.isDue && this.#isWithApp(job)}))
  }

  /** The plan goes on with its first time from now on. Throws a JobError. */
  async resume(app: string, name: string): Promise<Job> {
    const now = this.#options.wakeUps.date()
    return this.#set(app, name, job => ({
      ...job,
      isPaused: false,
      planned: job.isPaused && !job.isDue ? this.#firstFrom(job, now) : job.planned
    }))
  }

  /** An app takes calls again. */
  appReady(app: string): void {
    const waiting = this.#apps.get(app)
    if (waiting === undefined) return
    waiting.readies++
    this.#pump(app)
  }

  close(): void {
    this.#isClosed = true
  }

  async #set(app: string, name: string, change: (job: Job) => Job): Promise<Job> {
    await this.get(app, name)
    return this.#options.file.change(() => {
      const job = this.#store.find(app, name)
      if (job === undefined) throw new JobError('unknown', `job not found: ${name}`)
      const next = change(job)
      this.#store.update(job.key, next)
      this.#options.wakeUps.removeOf(JOB, job.key)
      if (!next.isDue && !next.isPaused) this.#wake(next, next.planned)
      return next
    })
  }

  #firstFrom({planned, schedule}: Job, now: number): number | undefined {
    if (planned === undefined || planned > now || schedule === undefined) return planned
    return jobSchedule(schedule).next(now)
  }

  #remove({key}: Job): void {
    this.#store.delete(key)
    this.#options.wakeUps.removeOf(JOB, key)
  }

  /** Who lets time pass is told of it by its name. */
  #wake({key, app, name}: Pick<Job, 'key' | 'app' | 'name'>, due: number | undefined): void {
    if (due === undefined) return
    this.#options.wakeUps.addAt(JOB, {due, owner: key, name: JSON.stringify({app, name}), data: new Uint8Array(0)})
  }

  #isWithApp({app, name, key}: Pick<Job, 'app' | 'name' | 'key'>): boolean {
    return this.#withApps.get(jobKey(app, name)) === key
  }

  /** Its app has answered, or could not take it. */
  #left(name: string): void {
    this.#withApps.delete(name)
    this.#quiet.changed()
  }

  /** Its time has come, within the change that says so. */
  #fire(key: number): void {
    const job = this.#store.at(key)
    if (job === undefined || job.isPaused) return
    this.#store.update(key, {...job, isDue: true})
    this.#options.file.afterCommit(() => {
      this.#enqueue(job)
      this.#pump(job.app)
    })
  }

  #enqueue({key, app}: Pick<Job, 'key' | 'app'>): void {
    const waiting = this.#apps.get(app)
    if (waiting === undefined) this.#apps.set(app, {due: [key], returned: [], busy: 0, readies: 0})
    else waiting.due.push(key)
  }

  #pump(app: string): void {
    const waiting = this.#apps.get(app)
    if (waiting === undefined || this.#isClosed) return
    waiting.due.unshift(...waiting.returned.splice(0))
    for (const key of waiting.due.splice(0, MAX_WITH_APP - waiting.busy)) {
      waiting.busy++
      void this.#hand(key, app, waiting)
    }
  }

  async #hand(key: number, app: string, waiting: AppJobs): Promise<void> {
    const {readies} = waiting
    // what cannot be kept as the run ends comes again with the next one
    const isTaken = await this.#tick(key, app).catch(() => false)
    waiting.busy--
    if (isTaken || waiting.readies > readies) this.#pump(app)
  }

  /** Brings one tick to the app; false: it could not, and waits until the app is ready. */
  async #tick(key: number, app: string): Promise<boolean> {
    const job = this.#store.at(key)
    if (this.#isClosed || job?.isDue !== true) return true
    const name = jobKey(app, job.name)
    if (this.#withApps.has(name)) {
      this.#apps.get(app)?.returned.push(key) // who has it run, or ran it as it was before, is not done
      return false
    }
    this.#withApps.set(name, key)
    try {
      return await this.#deliver(job)
    } finally {
      this.#left(name)
    }
  }

  async #deliver(job: Job): Promise<boolean> {
    const {deliver} = this.#options
    const {key, app} = job
    const {at, passed} = this.#latest(job)
    const outcome = await deliver({...job, planned: at})
    if (this.#isClosed) return false
    if (outcome.kind === 'undeliverable') {
      this.#apps.get(app)?.returned.push(key)
      return false
    }
    if (passed > 0) this.#log(app, 'info', `job ${job.name}: ${missedText(passed)} missed ticks were passed over`)
    await keep(this.#options, () => {
      const now = this.#store.at(key)
      if (now !== undefined) this.#settle({...now, planned: at}, outcome)
    })
    return true
  }

  /** Of ticks that were missed the latest one comes; how many are passed over. */
  #latest({schedule, planned, attempts, expires}: Job): {readonly at: number | undefined; readonly passed: number} {
    const {catchesUp = false} = this.#options
    if (schedule === undefined || planned === undefined || attempts > 0 || catchesUp) return {at: planned, passed: 0}
    return latestDue(jobSchedule(schedule), planned, Math.min(this.#options.wakeUps.date(), expires ?? Infinity))
  }

  /** A tick has been answered: it is done, or tried again; then the plan goes on, from its planned time. */
  #settle(job: Job, {kind, answer}: JobOutcome): void {
    const {key, policy, attempts, schedule, expires, repeats} = job
    const now = this.#options.wakeUps.date()
    const set = (change: Partial<JobChange>): void => this.#store.update(key, {...job, ...change, answer})
    if (kind === 'failed' && policy.kind === 'constant' && attempts < (policy.maxRetries ?? Infinity)) {
      this.#log(job.app, 'warn', `job ${job.name} failed: ${answer}; it is tried again`)
      set({attempts: attempts + 1, isDue: false})
      return this.#wake(job, now + policy.intervalMs)
    }
    if (kind === 'failed') this.#log(job.app, 'error', `job ${job.name} failed: ${answer}; this tick is given up`)
    const planned = job.planned ?? now
    const next = schedule === undefined ? undefined : jobSchedule(schedule).next(planned)
    const count = job.count + 1
    const isOver = next === undefined || next > (expires ?? Infinity)
    if (isOver || count >= (repeats ?? Infinity)) return this.#remove(job)
    set({planned: next, count, last: planned, attempts: 0, isDue: false})
    if (!job.isPaused) this.#wake(job, next)
  }

  #log(app: string, level: LogLevel, text: string): void {
    this.#options.log(app, level, text)
  }
}
