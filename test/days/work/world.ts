import {Random} from '../../fuzz/random.ts'
import {isTerminal, STALLED, SUSPENDED} from '../../../src/work/workflow/status.ts'
import type {Instance} from '../../../src/work/workflow/instance.ts'
import {isOfEnd} from './disk.ts'
import {EVENTS} from './program.ts'
import {replayFaults} from './replays.ts'
import {WalkRun} from './run.ts'
import {Watch, type Held, type How} from './workers.ts'
import type {Waiting} from './waiting.ts'

/** A run whose apps ask each other for work, and all that happens to it. */
export class WorkWorld {
  readonly watch = new Watch()
  readonly run = new WalkRun(['a', 'b', 'c'], this.watch)
  readonly runs: readonly WalkRun[] = [this.run]
  /** Whether workers of an app send the tokens that they got. */
  readonly tokens: Map<string, boolean>
  /** Callers that wait for something. */
  readonly waiting = new Set<Pick<Waiting, 'leave' | 'check'>>()
  #serial = 0
  /** All instances, and how much was written then. */
  #listed: {readonly writes: string; readonly instances: readonly Instance[]} = {writes: '', instances: []}
  /** Nothing is asked of a run that is about to crash. */
  readonly #pending = new Set<Promise<unknown>>()
  readonly #rejected = (error: unknown): void => {
    if (!isOfEnd(error)) this.watch.fault(`an error that nothing catches: ${String(error)}`)
  }

  constructor(seed: number) {
    const random = new Random('tokens', seed)
    this.tokens = new Map(['a', 'b', 'c'].map(app => [app, !random.oneIn(4)]))
    for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, this.#rejected)
    for (const run of this.runs) {
      run.sendsTokens = app => this.tokens.get(app) !== false
      for (const app of run.apps) if (!random.oneIn(4)) run.connect(app, this.tokens.get(app) !== false)
      for (const app of run.apps) if (!random.oneIn(3)) run.ready(app)
      if (!random.oneIn(3)) run.host('h1')
    }
  }

  get serial(): number {
    return ++this.#serial
  }

  get faults(): readonly string[] {
    return this.watch.faults
  }

  /** Something that is asked for and may be refused; `isUnsure`: its run has ended, and nobody knows whether it was kept. */
  ask(
    work: () => Promise<unknown>,
    onDone: () => void = () => undefined,
    onFailed: (isUnsure: boolean) => void = () => undefined
  ): void {
    const asked = work().then(onDone, error => onFailed(isOfEnd(error)))
    this.#pending.add(asked)
    void asked.then(() => this.#pending.delete(asked))
  }

  async settle(): Promise<void> {
    for (const run of this.runs) await run.settle()
    const crashed = this.runs.filter(({disk}) => disk.isCrashed)
    for (const run of crashed) this.restart(run)
    if (crashed.length > 0) await this.settle()
  }

  /** Runs know which turns their workers have: who else would give them to others if these leave? */
  #checkHeld(): void {
    for (const run of this.runs) run.checkAhead()
    for (const {worker, kind, key, execution, turns, isAnswered, pending} of this.watch.held) {
      if (kind !== 'turn' || !worker.isConnected || (isAnswered && pending === 0)) continue
      const {workflows} = this.run
      const [, id = ''] = key.split(' ')
      const now = workflows.find(worker.app, id)
      if (now?.execution !== execution || now.turns !== turns || isTerminal(now.status) || now.status === STALLED)
        continue
      if (!workflows.heldBy(worker.app, worker.home, 0).some(each => each.kind === 'turn' && each.id === id))
        this.watch.fault(`the turn that a worker has of ${worker.app} ${id} is not known any more`)
    }
  }

  /** Whoever has nothing in hand gets what waits. */
  async checkRest(): Promise<void> {
    this.#checkHeld()
    for (const each of this.waiting) each.check(false)
    for (const run of this.runs) {
      const isHeld = run.answering.size > 0 || [...this.watch.held].some(({worker}) => run.workers.includes(worker))
      if (!isHeld && !run.mayRetry && !run.isWaking) await this.#checkQuiet(run)
    }
  }

  async #checkQuiet({workflows}: WalkRun): Promise<void> {
    const soon = new Promise<boolean>(resolve => setImmediate(() => setImmediate(() => resolve(false))))
    if (!(await Promise.race([workflows.quiet(0), soon])))
      this.watch.fault('workers have something to do, and nothing is left')
  }

  async pass(ms: number): Promise<void> {
    for (const run of this.runs) await run.clock.pass(ms, async () => this.settle())
    await this.settle()
  }

  restart(run: WalkRun): void {
    run.end()
    run.disk.crashAt = Infinity
    run.begin()
  }

  /** What can be answered by a worker that is there. */
  inHand(): readonly Held[] {
    return [...this.watch.held].filter(({worker, isAnswered}) => worker.isConnected && !isAnswered)
  }

  answer(held: Held, app = held.worker.app, how: How = 'done'): void {
    const {workflows, answering} = this.run
    const answered = {}
    answering.add(answered)
    this.ask(async () => held.answer(workflows, app, how).finally(() => answering.delete(answered)))
  }

  /** An event for an instance: no two are the same. */
  raise(app: string, id: string, name: string): void {
    const {workflows} = this.run
    const found = this.#asItIs(app, id)
    const {serial} = this
    this.ask(
      async () => workflows.tell(app, id, 'event', {eventRaised: {name, input: {value: String(serial)}}}),
      () => {
        if (found !== undefined) this.watch.told(found, serial)
      }
    )
  }

  suspend(app: string, id: string, isSuspended: boolean): void {
    const event = isSuspended ? {executionSuspended: {input: undefined}} : {executionResumed: {input: undefined}}
    const found = this.#asItIs(app, id)
    const {serial} = this
    const note = (is: boolean | undefined): void => found && this.watch.suspended(found, serial, is)
    this.ask(
      async () => this.run.workflows.tell(app, id, isSuspended ? 'suspend' : 'resume', event),
      () => {
        // one of its ID may have begun meanwhile
        const now = found ?? this.#asItIs(app, id)
        if (now !== undefined) this.watch.suspended(now, serial, found && isSuspended)
      },
      isUnsure => isUnsure && note(undefined)
    )
  }

  /** One that is not over: it may be another one before it is told something. */
  #asItIs(app: string, id: string): Instance | undefined {
    const found = this.run.workflows.find(app, id)
    return found === undefined || isTerminal(found.status) ? undefined : {...found}
  }

  instances(): readonly Instance[] {
    const writes = this.runs.map(({disk}) => `${disk.run} ${disk.writes}`).join()
    if (writes === this.#listed.writes) return this.#listed.instances
    const instances = this.runs.flatMap(({apps, workflows}) =>
      apps.flatMap(app => workflows.list(app, 0, 1000).flatMap(({id}) => workflows.find(app, id) ?? []))
    )
    this.#listed = {writes, instances}
    return instances
  }

  /** All comes, and is answered, until nothing is left to do: what must be true then. */
  async drain(): Promise<void> {
    for (const run of this.runs) {
      run.disk.faults = 0
      run.disk.fault = undefined
      run.disk.crashAt = Infinity
    }
    await this.settle()
    // what is stalled goes on with the next run
    for (const run of this.runs) {
      run.maxBytes = Infinity
      run.limits = {workflows: Infinity, activities: Infinity}
      for (const app of run.absent) run.add(app)
    }
    if (this.instances().some(({status}) => status === STALLED)) for (const run of this.runs) this.restart(run)
    for (const run of this.runs) {
      // what sleeps is started by its work alone
      const awake = run.apps.filter(app => !run.asleep.has(app))
      for (const app of awake) {
        if (!run.workers.some(each => each.app === app)) run.connect(app, this.tokens.get(app) !== false)
        for (const worker of run.workers) run.workflows.resume(app, worker.home)
      }
      for (const app of awake) run.ready(app)
      if (awake.includes(run.apps[0] ?? '')) run.host('h1')
    }
    let calm = 0
    let passMs = 0
    for (let turn = 0; turn < 400 && this.faults.length === 0; turn++) {
      await this.settle()
      const held = this.inHand()
      for (const each of held) this.answer(each)
      const deliveries = this.runs.flatMap(({series}) => [...series.open].map(each => ({each, series})))
      for (const {each, series} of deliveries) {
        series.open.delete(each)
        each.answer(turn < 10 ? series.answerAtEnd(each) : 'done')
      }
      // what never rests gets its time, too
      if (held.length + deliveries.length > 0 && turn % 5 !== 4) continue
      const open = this.instances().filter(({status}) => !isTerminal(status))
      calm = open.length === 0 && held.length + deliveries.length === 0 ? calm + 1 : 0
      if (calm > 2 && turn > 15) break
      for (const {app, id, status} of open) {
        if (status === SUSPENDED) this.suspend(app, id, false)
        // another worker may understand it
        if (status === STALLED) this.run.connect(app, this.tokens.get(app) !== false)
        // a rerun has had no turn yet that says what it waits for
        const waits = this.watch.waits.get(`${app} ${id}`) ?? (id.startsWith('r-') ? EVENTS : [])
        for (const name of waits) this.raise(app, id, name)
      }
      passMs = open.length > 0 && turn > 100 ? 600_000 : turn % 3 === 0 ? 10_000 : 1500
      await this.pass(passMs)
    }
    if (this.faults.length > 0) return
    await this.settle()
    for (const {series} of this.runs)
      for (const each of series.open) {
        series.open.delete(each)
        each.answer('done')
      }
    await this.settle()
    const all = this.instances()
    for (const run of this.runs) {
      run.see()
      run.checkLeft()
    }
    for (const each of this.waiting) each.check(true)
    this.watch.checkDetached(all.map(each => this.run.workflows.events(each)))
    for (const {app, id, status, input} of all)
      if (!isTerminal(status)) this.watch.fault(`workflow ${app} ${id} never ends: status ${status}, ${input ?? ''}`)
    for (const run of this.runs) {
      const listed = new Map<string, number>()
      for (const app of run.apps)
        for (const job of await run.jobs.list(app)) {
          listed.set(`job ${app} ${job.name}`, Number(Buffer.from(job.data?.value ?? []).toString()))
          if (!job.isPaused && (job.isDue || (job.planned ?? Infinity) < run.date - passMs * 3 - 60_000))
            this.watch.fault(`job ${app} ${job.name} is silent: ${JSON.stringify({...job, data: ''})}, now ${run.date}`)
        }
      for (const reminder of await run.reminders.list()) {
        listed.set(`reminder ${reminder.id} ${reminder.name}`, Number(reminder.data))
        if (reminder.due < run.date - passMs * 3 - 60_000)
          this.watch.fault(`reminder ${reminder.name} is silent, due ${run.date - reminder.due} ms ago`)
      }
      run.series.checkKept(listed)
      await this.#checkQuiet(run)
      const own = all.filter(({app}) => run.apps.includes(app))
      for (const fault of await replayFaults(run, own)) this.watch.fault(fault)
      await this.settle()
    }
  }

  close(): void {
    for (const event of ['unhandledRejection', 'uncaughtException']) process.off(event, this.#rejected)
    for (const run of this.runs) run.close()
  }
}
