import {DEFAULT_WORKFLOWS} from '../../../src/files/resources/defaults.ts'
import {Actors} from '../../../src/work/actor/actors.ts'
import {Reminders} from '../../../src/work/actor/reminders.ts'
import {Jobs} from '../../../src/work/job/jobs.ts'
import {RETRY_MS} from '../../../src/work/keep.ts'
import {WakeUps} from '../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {Workflows} from '../../../src/work/workflow/workflows.ts'
import {WalkClock} from './clock.ts'
import {Disk} from './disk.ts'
import {SeriesWatch, WalkHost, type Delivery} from './series.ts'
import {NotNow} from './step.ts'
import type {Watch, Worker} from './workers.ts'
import type {WorkWorld} from './world.ts'

const SETTINGS = {idleMs: 20_000, drainMs: 2000, drains: true, isReentrant: false, maxDepth: 32}
const TYPES = new Map([['T', SETTINGS]])
/** Until an app that is started has workers, takes jobs and hosts actors. */
const BOOT_MS = 300
/** So long the caller of a skip waits. */
const STAYS_MS = 4000
/** Until it is noticed that what a process had is lost. */
const LATE_MS = 1500
const LEFT = Object.entries({
  entry: 'SELECT count(*) AS rows FROM inbox',
  activity: 'SELECT count(*) AS rows FROM activities',
  timer: "SELECT count(*) AS rows FROM wake_ups WHERE kind IN ('workflow-timer', 'workflow-start')",
  retention:
    "SELECT count(*) AS rows FROM wake_ups WHERE kind = 'workflow-retention' AND owner NOT IN (SELECT key FROM instances)",
  turn: 'SELECT count(*) AS rows FROM turns WHERE instance NOT IN (SELECT key FROM instances)'
})

/** More workflows than there are. */
const ALL = 1000

/** A run of a template, and those that follow it on its file. */
export class WalkRun {
  readonly apps: readonly string[]
  readonly clock = new WalkClock()
  readonly disk = new Disk()
  readonly watch: Watch
  readonly series: SeriesWatch
  readonly workers: Worker[] = []
  readonly hosts = new Map<string, WalkHost>()
  /** Apps that an edit of the template has removed. */
  readonly absent = new Set<string>()
  /** How many turns, and how many activities, the workers of an app may have in hand. */
  limits = {workflows: Infinity, activities: Infinity}
  /** Apps without a process: work of theirs starts one. */
  readonly asleep = new Set<string>()
  readonly #waking = new Set<string>()
  /** Whether workers of an app send the tokens that they got. */
  sendsTokens = (_app: string): boolean => true
  /** In ms: how long workflows that are over are kept. */
  retention: number | undefined
  /** More than that a worker does not take. */
  maxBytes = Infinity
  #failures = 0
  #failedAt = -Infinity
  /** Answers of workers that are not kept yet, perhaps after another one of the same. */
  answering = new Set<object>()
  /** How far time was ahead at the latest rest, and so much more it may be. */
  #knownAhead = 0
  #mayAdvance = 0
  /** Skips that have not ended, with how far they go. */
  readonly #skips = new Map<object, number>()
  readonly #fault: (text: string) => void
  #file!: WorkFile
  #wakeUps!: WakeUps
  workflows!: Workflows
  jobs!: Jobs
  actors!: Actors
  reminders!: Reminders
  #homes = 0

  constructor(apps: readonly string[], watch: Watch) {
    this.apps = apps
    this.watch = watch
    this.#fault = text => watch.fault(text)
    this.series = new SeriesWatch(this.#fault)
    this.begin()
  }

  /** The next run begins with what the file has. */
  begin(): void {
    const clock = this.clock.clock()
    const file = (this.#file = new WorkFile(this.disk.open()))
    const wakeUps = (this.#wakeUps = new WakeUps(file, clock))
    this.workflows = new Workflows({
      file,
      wakeUps,
      clock,
      warn: () => undefined,
      onMuchWaiting: () => undefined,
      hasApp: app => this.hasApp(app),
      maxBytes: app => (this.hasApp(app) ? this.maxBytes : Infinity),
      settings: () => ({
        ...DEFAULT_WORKFLOWS,
        workflows: {...DEFAULT_WORKFLOWS.workflows, all: this.limits.workflows},
        activities: {...DEFAULT_WORKFLOWS.activities, all: this.limits.activities},
        retention: this.retention === undefined ? {} : {anyTerminal: this.retention}
      }),
      isAllowed: () => true,
      onFirstWorker: () => undefined,
      tracesOf: () => undefined,
      needsWorker: app => {
        this.#need(app)
        return this.#waking.has(app)
      },
      counted: () => undefined
    })
    const deliver: SeriesWatch['deliver'] = async job => {
      this.#need(job.app)
      return this.series.deliver(job)
    }
    this.workflows.onChanged(each => this.watch.saw(each))
    // a run that was killed has not heard of what it kept last
    this.see()
    this.jobs = new Jobs({file, wakeUps, clock, log: () => undefined}, deliver)
    this.actors = new Actors({
      clock,
      mayHost: () => this.asleep.has(this.#hostApp),
      needsHost: () => this.#need(this.#hostApp)
    })
    this.reminders = new Reminders({file, wakeUps, clock, log: () => undefined}, this.actors.run)
    for (const app of this.asleep) this.#look(app)
  }

  hasApp(app: string): boolean {
    return this.apps.includes(app) && !this.absent.has(app)
  }

  /** An edit of the template removes an app: its sidecar closes. */
  remove(app: string): void {
    this.sleep(app)
    this.asleep.delete(app)
    this.#waking.delete(app)
    this.absent.add(app)
    this.workflows.mayTakeMore()
  }

  /** … and another one adds it again. */
  add(app: string, isAsleep = false): void {
    this.absent.delete(app)
    if (isAsleep) this.asleep.add(app)
    this.workflows.mayTakeMore()
    this.#look(app)
  }

  /** That of the hosts of the run. */
  get #hostApp(): string {
    return this.apps[0] ?? ''
  }

  /** Whether an app has work in hand: it does not sleep. */
  isBusy(app: string): boolean {
    const names = new Set([app, ...(app === this.#hostApp ? this.hosts.keys() : [])])
    const isHeld = [...this.watch.held].some(each => this.workers.includes(each.worker) && each.worker.app === app)
    return isHeld || [...this.series.open].some(({at}) => names.has(at))
  }

  /** Its process ends, and none follows until work of it needs one. */
  sleep(app: string): void {
    for (const worker of this.workers.filter(each => each.app === app)) worker.leave()
    this.unready(app)
    if (app === this.#hostApp) for (const instance of this.hosts.keys()) this.unhost(instance, false)
    this.asleep.add(app)
    this.#look(app)
  }

  /** Its work may have come before it slept: all is looked at whenever its state changes. */
  #look(app: string): void {
    if (this.workflows.lacksWorker(app)) this.#need(app)
    this.jobs.appReady(app)
    this.actors.look()
  }

  /** An app that something waits for is being started. */
  get isWaking(): boolean {
    return this.#waking.size > 0
  }

  #need(app: string): void {
    if (!this.asleep.has(app) || this.#waking.has(app) || this.absent.has(app)) return
    this.#waking.add(app)
    const boot = this.alive(() => {
      if (!this.#waking.has(app)) return // it was removed meanwhile
      this.#waking.delete(app)
      this.asleep.delete(app)
      this.connect(app, this.sendsTokens(app))
      this.ready(app)
      if (app === this.#hostApp) this.host('h1')
    })
    this.clock.clock().after(BOOT_MS, boot)
  }

  /** The run ends, in good order or by a crash; its streams end with it. */
  end(): void {
    this.disk.end()
    this.clock.forget()
    for (const worker of this.workers) worker.isConnected = false
    this.workers.length = 0
    this.series.open.clear()
    this.series.ready.clear()
    this.hosts.clear()
    this.#waking.clear()
    this.answering = new Set()
    this.series.allowOneMore()
    for (const ms of this.#skips.values()) this.#mayAdvance += ms
    this.#skips.clear()
  }

  /** What a run that was killed does no more. */
  alive<T extends readonly unknown[]>(act: (...given: T) => void): (...given: T) => void {
    const {disk} = this
    const run = disk.run
    return (...given) => {
      if (disk.run === run && !disk.isCrashed) act(...given)
    }
  }

  /** A write has failed lately: it is made again a second later. */
  get mayRetry(): boolean {
    const now = this.clock.clock().now()
    if (this.disk.failures !== this.#failures) this.#failedAt = now
    this.#failures = this.disk.failures
    return now - this.#failedAt < RETRY_MS * 2
  }

  get date(): number {
    return this.#wakeUps.date()
  }

  get ahead(): number {
    return this.#wakeUps.ahead
  }

  /** Time is skipped, if that is kept; `isWhole`: from one thing that is due to the next, as long as the caller stays. */
  skip(ms: number, isWhole: boolean, world: Pick<WorkWorld, 'ask'>): void {
    const caller = new AbortController()
    this.#skips.set(caller, ms)
    const end = (mayBe: boolean): void => {
      if (this.#skips.delete(caller) && mayBe) this.#mayAdvance += ms
    }
    this.clock.clock().after(
      STAYS_MS,
      this.alive(() => caller.abort())
    )
    world.ask(
      async () => (isWhole ? this.workflows.skip(ms, caller.signal) : this.#wakeUps.skip(ms)),
      () => end(true),
      // what was skipped before the step that cannot be written is kept
      isUnsure => end(isUnsure || isWhole)
    )
  }

  /** Time is ahead by what was skipped. */
  checkAhead(): void {
    if (this.#skips.size > 0) return
    const {ahead} = this
    if (ahead < this.#knownAhead || ahead > this.#knownAhead + this.#mayAdvance)
      this.#fault(`time is ahead by ${ahead} ms, which were not skipped`)
    this.#knownAhead = ahead
    this.#mayAdvance = 0
  }

  see(): void {
    for (const each of this.workflows.search({}, ALL)) this.watch.saw(each)
  }

  /** Waits until what was asked for is kept. */
  async settle(): Promise<void> {
    for (let calm = 0, all = 0; calm < 3 && all < 50; all++) {
      await new Promise(setImmediate)
      calm = this.#file.isChanging ? 0 : calm + 1
    }
  }

  connect(app: string, sendsTokens: boolean, limit = Infinity): Worker {
    if (this.absent.has(app)) throw new NotNow()
    const worker: Worker = {
      app,
      home: `${app}.${this.#homes++}`,
      sendsTokens,
      limit,
      isConnected: true,
      leave: () => undefined
    }
    this.workers.push(worker)
    const stream = {
      limit,
      home: worker.home,
      send: this.alive((item: Uint8Array) => {
        this.watch.receive(worker, item, id => this.workflows.find(app, id))
        this.#checkLimits(worker)
      })
    }
    const leave = this.workflows.connect(app, stream)
    worker.leave = () => {
      if (!worker.isConnected) return
      worker.isConnected = false
      this.workers.splice(this.workers.indexOf(worker), 1)
      leave()
    }
    return worker
  }

  /** What it got is no more than it takes, and than its app may have in hand. */
  #checkLimits(worker: Worker): void {
    const held = [...this.watch.held].filter(each => !each.isAnswered && this.workers.includes(each.worker))
    const kind = held.at(-1)?.kind
    const limit = kind === 'turn' ? this.limits.workflows : this.limits.activities
    const ofApp = held.filter(each => each.worker.app === worker.app && each.kind === kind)
    const own = held.filter(each => each.worker === worker)
    if (own.length > worker.limit) this.#fault(`a worker of ${worker.limit} gets ${own.length}`)
    if (ofApp.length > limit) this.#fault(`${ofApp.length} of a kind are under way, of ${limit}`)
  }

  /** An instance of an app hosts actors, or comes again. */
  host(instance: string): void {
    if (this.absent.has(this.#hostApp)) throw new NotNow()
    const {disk} = this
    const {run} = disk
    let host = this.hosts.get(instance)
    if (host === undefined) {
      host = new WalkHost('a', instance, this.series, () => disk.run === run && !disk.isCrashed)
      this.hosts.set(instance, host)
    }
    host.state = 'open'
    this.actors.host(host, TYPES)
    this.actors.resume(instance)
  }

  /** What it has in hand is lost. `isForGood`: it leaves the run. */
  unhost(instance: string, isForGood: boolean, isLate = false): void {
    const host = this.hosts.get(instance)
    if (host === undefined) return
    host.state = isForGood ? 'shut' : 'held'
    if (isForGood) {
      this.actors.leave(host)
      this.hosts.delete(instance)
    } else this.actors.lost(host)
    this.#lose(({at}) => at === instance, isLate)
  }

  ready(app: string): void {
    if (this.absent.has(app)) throw new NotNow()
    this.series.ready.add(app)
    this.jobs.appReady(app)
  }

  /** `isLate`: that what it has in hand is lost is noticed later. */
  unready(app: string, isLate = false): void {
    this.series.ready.delete(app)
    this.#lose(each => each.at === app && each.name.startsWith('job'), isLate)
  }

  #lose(isLost: (each: Delivery) => boolean, isLate: boolean): void {
    for (const each of this.series.open) {
      if (!isLost(each)) continue
      this.series.open.delete(each)
      if (isLate) this.clock.clock().after(LATE_MS, this.alive(each.lose))
      else each.lose()
    }
  }

  /** What there is no use for once all workflows have ended. */
  checkLeft(): void {
    for (const [what, sql] of LEFT) {
      const rows = this.disk.rows(sql)
      if (rows > 0) this.#fault(`${rows} × ${what} of ended workflows are left`)
    }
  }

  close(): void {
    this.end()
    this.disk.close()
  }
}
