import type {WorkflowEvent} from '../../model/work-event.ts'
import type {WorkflowOperation} from '../../model/workflow-settings.ts'
import {SerialQueue} from '../../model/serial-queue.ts'
import {aborted} from '../../platform/delay.ts'
import {keep, RETRY_MS} from '../keep.ts'
import {Quiet} from '../quiet.ts'
import {advanceClock, type Skipped, type Whose} from '../skip.ts'
import {answerActivity, answerTurn} from './answers.ts'
import type {Engine, EngineOptions} from './engine.ts'
import {heldWork, type HeldWork} from './held-work.ts'
import type {Instance, StartRequest} from './instance.ts'
import {KnownInstances} from './known-instances.ts'
import {eventOf, type ActivityResponse, type Event, type TurnResponse} from './messages.ts'
import {post, retryHeld} from './inbox.ts'
import {purge, type PurgeRequest} from './purge.ts'
import type {ReplayedTurn} from './replay.ts'
import {create, fireNextTimer, whyNotReplaced} from './tasks.ts'
import {appsWithCapacity, openEngine, reread, takeMore, takeUp} from './take-up.ts'
import {beginRerun} from './turns.ts'
import {rerunOf, type RerunRequest} from './rerun.ts'
import {Silence} from './silence.ts'
import {isTerminal, STALLED, TERMINATED} from './status.ts'
import {Waiters} from './waiters.ts'
import {beginSpan, spanOfStart} from './work-spans.ts'
import type {Worker} from './workers.ts'
import {checkHasWorker, deniedAccess, stalledInstance, unknownInstance, WorkflowError} from './workflow-error.ts'

/** Maximum wait of a skip for workers, in ms. */
const SETTLE_MS = 30_000
/** Maximum of later waits in the same skip, after one was in vain, in ms. */
const AGAIN_MS = 1000

/** The workflows of a run. Commits each change, then sends it to workers, then reports it to callers: a crash loses nothing that was reported. */
export class Workflows extends KnownInstances {
  readonly #options: EngineOptions
  readonly #engine: Engine
  readonly #waiters = new Waiters()
  readonly #firstWorker = Promise.withResolvers<void>()
  readonly #silence: Silence
  readonly #quiet: Quiet
  readonly #skips = new SerialQueue()
  #retry: (() => void) | undefined
  readonly #listeners: ((instance: Instance) => void)[] = []

  constructor(options: EngineOptions) {
    const engine = openEngine(options)
    super(engine)
    this.#options = options
    this.#engine = engine
    this.#silence = new Silence(engine)
    this.#quiet = new Quiet(options.clock, () => this.#isBusy())
    engine.file.onCommit(() => this.#committed())
    engine.file.onUndone(() => this.#undone())
  }

  /** Keys of instances that a person has started, not an app. */
  readonly byPerson = new Set<number>()

  /** Starts an instance; resolves when it is stored. Throws a WorkflowError if one with this id is active. */
  async start(app: string, request: StartRequest): Promise<Instance> {
    return this.#countRequest(app, 'create_workflow', async () => {
      checkHasWorker(request.name)
      const existing = this.find(app, request.id)
      const refusal = existing && whyNotReplaced(this.#engine.store, existing)
      if (refusal !== undefined) throw refusal
      const {trace: parent = ''} = request
      const startedAt = performance.now()
      const trace = beginSpan(this.#engine, app, parent)
      const instance = await this.#options.file.change(() => create(this.#engine, app, {...request, trace}))
      this.#engine.noteMissing(app, request.caller ?? app, `workflow '${request.name}'`)
      if (trace !== '') spanOfStart(this.#engine, instance, {traceparent: trace, parent, startedAt})
      return instance
    })
  }

  /** Throws a WorkflowError if the policies of an instance's app deny an operation. `name`: workflow of a new instance. */
  checkAccess(
    caller: string,
    {app, id}: Pick<Instance, 'app' | 'id'>,
    operation: WorkflowOperation,
    name?: string
  ): void {
    const access = {caller, kind: 'workflows', operation, name: name ?? this.find(app, id)?.name ?? ''} as const
    if (!this.#options.isAllowed(app, access)) throw deniedAccess(access, id)
  }

  /** Resolves once the result of `find` is stored. Wait for it before reporting that result. */
  async settled(): Promise<void> {
    await this.#options.file.settled()
  }

  /** Calls the listener with each changed instance, after the commit. */
  onChanged(listener: (instance: Instance) => void): void {
    this.#listeners.push(listener)
  }

  /** Posts an event of a caller to an instance. An ended instance ignores it. Throws a WorkflowError. */
  async tell(
    app: string,
    id: string,
    kind: 'event' | 'suspend' | 'resume' | 'terminate',
    event: Event
  ): Promise<Instance> {
    return this.#countRequest(app, 'add_event', async () => {
      // waits until the end of an instance is stored: if that is undone, the event must reach the instance
      if (isTerminal(this.find(app, id)?.status ?? TERMINATED)) await this.settled()
      const instance = this.find(app, id)
      if (instance === undefined) throw unknownInstance()
      if (isTerminal(instance.status)) return instance
      if (instance.status === STALLED && kind !== 'terminate') throw stalledInstance(id)
      const name = event.eventRaised?.name ?? (event.executionTerminated?.recurse === true ? 'recursive' : '')
      const entry = {kind, name, event: eventOf(this.#options.clock.date(), event)}
      await this.#options.file.change(() => post(this.#engine, instance.key, entry))
      return instance
    })
  }

  /** Resolves with the instance of this id once it exists (durabletask-go: orchestrator/stream.go, handleStream). */
  async appeared(app: string, id: string, onGone: (listener: () => void) => void): Promise<Instance> {
    await this.settled()
    return this.find(app, id) ?? this.#waiters.first(each => each.id === id && each.app === app, onGone)
  }

  /** Resolves with an instance when it is in a state; with undefined when it is removed. Never, if the caller leaves (`onGone`). */
  async until(
    instance: Instance,
    isMet: (instance: Instance) => boolean,
    onGone?: (listener: () => void) => void
  ): Promise<Instance | undefined> {
    const {file} = this.#options
    while (file.isChanging) await file.settled()
    // the state may have been stored, and the ended instance replaced, before this wait began
    const known = this.at(instance.key) ?? (isMet(instance) ? instance : undefined)
    return this.#waiters.wait(instance.key, known, now => now === undefined || isMet(now), onGone)
  }

  /** Purges an ended instance (`isForced`: any), with `isRecursive` also its children. Returns their number. Throws a WorkflowError. */
  async purge(app: string, id: string, request: PurgeRequest): Promise<number> {
    return this.#countRequest(app, 'purge_workflow', async () => purge(this.#engine, app, id, request))
  }

  /** Runs an ended instance again from one of its steps, as a new instance. Throws a WorkflowError. */
  async rerun(app: string, request: RerunRequest): Promise<Instance> {
    const {id, newId} = request
    if (id === newId)
      throw new WorkflowError('invalid', 'rerun workflow instance ID must be different from the original instance ID')
    const source = this.find(app, id)
    if (source === undefined) throw new WorkflowError('not found', `workflow instance does not exist with ID '${id}'`)
    if (!isTerminal(source.status)) throw new WorkflowError('invalid', `'${id}' is not in a terminal state`)
    if (source.parent !== undefined) throw new WorkflowError('invalid', `'${id}': cannot rerun from child-workflows`)
    const rerun = rerunOf(app, this.history(source), request, this.#options.clock.date())
    if (this.find(app, newId) !== undefined)
      throw new WorkflowError('taken', `workflow '${newId}' has already been created`)
    return this.#options.file.change(() => beginRerun(this.#engine, source, newId, rerun))
  }

  /** Sends a turn (from 0) to a worker again and compares the results, without changes. Throws a WorkflowError. */
  async replay(instance: Instance, turn: number, signal: AbortSignal): Promise<ReplayedTurn> {
    const {replayTurn} = await import('./replay.ts')
    return replayTurn(this.#engine, instance, {turn, signal, flush: () => this.#flush()})
  }

  /** Fires the next timer of an instance now, or its planned start, or the timer with an id. Throws a WorkflowError. */
  async skipTimer({key, id}: Instance, timer: number | undefined): Promise<void> {
    if (await this.#options.file.change(() => fireNextTimer(this.#engine, key, timer))) return
    throw new WorkflowError('not found', `workflow '${id}' waits for no timer${timer === undefined ? '' : ` ${timer}`}`)
  }

  /** Advances the file's clock by `ms` after other skips have ended, and waits for the work that is due by then. */
  async skip<T>(ms: number, signal: AbortSignal, of?: Whose<T>): Promise<Skipped<T>> {
    const {wakeUps, clock} = this.#options
    let maxMs = SETTLE_MS
    const workDone = async (): Promise<boolean> => {
      const end = clock.now() + maxMs
      // jobs and reminders may start workflows
      const isSettled = [await wakeUps.settled(maxMs), await this.quiet(end - clock.now())].every(Boolean)
      if (!isSettled) maxMs = AGAIN_MS
      return isSettled
    }
    // a disconnected caller does not wait for the work, and must not delay later skips
    const left = aborted(signal).then(() => false)
    const settle = async (): Promise<boolean> => Promise.race([workDone(), left])
    return this.#skips.run(async () => advanceClock(wakeUps, ms, {settle, of}, signal))
  }

  /** Resolves with true when no worker has work, or is expected to get some; with false after `maxMs`. */
  async quiet(maxMs: number): Promise<boolean> {
    await this.settled()
    return this.#quiet.within(maxMs)
  }

  #isBusy(): boolean {
    const {workers} = this.#engine
    if (appsWithCapacity(this.#engine).length > 0 || [...workers.values()].some(({isBusy}) => isBusy)) return true
    return this.#wakeForWork().includes(true)
  }

  /** Wakes the apps whose work waits for a worker. Returns for each whether it may get one soon. */
  #wakeForWork(): readonly boolean[] {
    const {workers, leftWork} = this.#engine
    const lacking = [...new Set([...workers.keys(), ...leftWork.apps])].filter(app => this.lacksWorker(app))
    return lacking.map(app => this.#options.needsWorker?.(app, workers.get(app)?.leftAt ?? 0) === true)
  }

  /** Resolves when an app of the run has its first worker. */
  get firstWorker(): Promise<void> {
    return this.#firstWorker.promise
  }

  /** Connects a worker of an app; the returned function disconnects it. */
  connect(app: string, worker: Worker): () => void {
    const workers = this.#engine.workersOf(app)
    const leave = workers.connect(worker)
    this.#retryHeld(app)
    if (this.#engine.large.delete(app)) this.#engine.leftWork.again(app)
    if (workers.leftAt === 0 && workers.count() === 1) this.#options.onFirstWorker(app)
    this.#firstWorker.resolve()
    this.mayTakeMore()
    return () => {
      leave()
      // the remaining workers may be able to continue stalled instances
      if (workers.count() > 0) this.#retryHeld(app)
      this.#flush()
    }
  }

  #retryHeld(app: string): void {
    if ([...this.#engine.held.values()].includes(app)) this.#keep(() => retryHeld(this.#engine, app))
  }

  /** See `AppWorkers.present`. */
  present(app: string, home: string): (signal: AbortSignal) => Promise<boolean> {
    return this.#engine.workersOf(app).present(home)
  }

  /** Sends more work: limits have changed, or a worker has read its items. */
  mayTakeMore(): void {
    this.#flush()
    this.#takeMore()
  }

  /** Gives work again to workers of an instance that stay connected after its process was replaced, such as a debugger's. */
  resume(app: string, home: string): void {
    this.#engine.workersOf(app).resume(home)
    this.#flush()
  }

  /** Returns the number of workers of an app; `home`: of one of its instances. */
  connected(app: string, home?: string): number {
    return this.#engine.workers.get(app)?.count(home) ?? 0
  }

  /** Lists the work of a process that has just ended. `since`: start of the process, by `performance.now()`. */
  heldBy(app: string, home: string, since: number): readonly HeldWork[] {
    return heldWork(this.#engine.workers.get(app)?.heldBy(home, since) ?? [])
  }

  /** Returns how many turns and activities wait without a connected worker of the app, for longer than a reload takes. */
  lacking(app: string): number {
    const lacking = this.#engine.workers.get(app)?.lacking ?? 0
    return lacking === 0 ? 0 : lacking + (this.#engine.leftWork.of(app)?.left ?? 0)
  }

  /** Whether work waits without a connected worker of the app. */
  lacksWorker(app: string): boolean {
    const {workers, leftWork} = this.#engine
    return this.connected(app) === 0 && (workers.get(app)?.isUnclaimed === true || leftWork.of(app) !== undefined)
  }

  /** Applies a worker's answer to a turn. Resolves after the commit. */
  async completeTurn(app: string, answer: TurnResponse): Promise<void> {
    await answerTurn(this.#engine, app, answer)
    this.#flush() // another turn may have waited for the answer
  }

  /** Applies a worker's answer to an activity. Resolves after the commit. */
  async completeActivity(app: string, answer: ActivityResponse): Promise<void> {
    // the worker has room for the next activity, also if its answer cannot be read
    await answerActivity(this.#engine, app, answer).finally(() => this.#flush())
  }

  async #countRequest<T>(
    app: string,
    operation: Extract<WorkflowEvent, {type: 'asked'}>['operation'],
    work: () => Promise<T>
  ): Promise<T> {
    const startedAt = performance.now()
    const count = (isSuccess: boolean): void =>
      this.#options.counted(app, {type: 'asked', operation, isSuccess, elapsedMs: performance.now() - startedAt})
    try {
      const result = await work()
      count(true)
      return result
    } catch (error) {
      count(false)
      throw error
    }
  }

  #committed(): void {
    this.#flush()
    const changed = [...this.#engine.changed]
    this.#engine.changed.clear()
    for (const [key, instance] of changed) {
      this.#waiters.changed(key, instance)
      if (instance !== undefined) for (const listener of this.#listeners) listener(instance)
    }
    this.#takeMore()
  }

  /** Reads more work from the file while workers have room for it. */
  #takeMore(): void {
    const apps = appsWithCapacity(this.#engine)
    if (apps.length > 0) this.#keep(() => apps.forEach(app => takeMore(this.#engine, app)))
  }

  #keep(work: () => void): void {
    keep(this.#options, work).catch(() => undefined) // the next change of the file reports why
  }

  /** Handles an undone change. Reads the work that memory has lost a second later, when the file may be writable again. */
  #undone(): void {
    reread(this.#engine)
    this.#retry ??= this.#options.clock.after(RETRY_MS, () => {
      this.#retry = undefined
      this.#keep(() => takeUp(this.#engine))
    })
  }

  /** Sends queued work to workers, unless it waits for a commit. */
  #flush(): void {
    if (this.#options.file.isChanging) return
    for (const workers of this.#engine.workers.values()) workers.flush()
    this.#wakeForWork()
    for (const each of this.#engine.replays.values()) each.look()
    this.#quiet.changed()
    this.#silence.watch()
  }

  close(): void {
    this.#retry?.()
    this.#silence.close()
  }
}
