/**
 * One supervised program. This module spawns it, reads what it writes, tells when it is ready, starts it again as its plan
 * says, and ends it with all that it forked. It promises: nobody but an app's own loop moves its state; whoever stops it
 * waits until nothing of it is left; its last line is not lost; and no process of anybody else is ever signalled.
 */
import type {Readable} from 'node:stream'
import {messageOf} from '../../model/errors.ts'
import type {Sink} from '../../model/events.ts'
import type {AppPlan} from '../../model/plan.ts'
import {succeeded, type AppState, type Exit, type Why} from '../../model/app-state.ts'
import {StateMachine} from './state-machine.ts'
import type {Watchdog} from './watchdog.ts'
import {loadSpawn, type Spawn} from './process-group.ts'
import {AppProcess} from './app-process.ts'
import {aborted, pause} from '../../platform/delay.ts'
import {closePipes, makePipes, type ProcessPipes} from '../../platform/pipes.ts'
import {runCommand, type CommandOptions} from '../../platform/run-command.ts'
import {Readiness, targetOf} from './readiness.ts'
import {afterRun, isShort, nextStart, NO_FAILURES, type Failures, type NextStart} from './restart-policy.ts'
import {shellFor} from './shell.ts'
import {findForeignListener, type ForeignListener} from './foreign-listener.ts'
import type {Note, Supervised} from './supervised.ts'
import {Tail} from './line-splitter.ts'
import {bestLine} from '../messages/best-line.ts'

export interface AppOptions {
  readonly plan: AppPlan
  /** The whole environment of one process, counted from 1; it holds the marks. Called right before the spawn. */
  readonly environment: (appProcess: number) => Readonly<Record<string, string>>
  /** The value of `PILLION_LIFE` in that environment. */
  readonly processMarker: (appProcess: number) => string
  /** Where the app listens; 0 = nowhere. */
  readonly appPort: number
  /** Where a process runs, if not in the folder of the plan. Settled right before the spawn. */
  readonly folder?: (() => string | Promise<string>) | undefined
  readonly lines: Sink
  readonly moved: (state: AppState) => void
  readonly noted: (note: Note) => void
  /** The only app of a run: its command is run without a shell, its output comes byte for byte, and it may read. */
  readonly single?: {readonly input: Readable | undefined} | undefined
  /** What follows an unasked exit; `Infinity`: nothing, until a new process is asked for. */
  readonly next?: NextStart
  /** Who asked for the first process, if it replaces another one. */
  readonly begunBy?: Why | undefined
  /** Asked right before each spawn; false: the app ends without another process. */
  readonly maySpawn?: (() => boolean) | undefined
  /** Told of each group, should we be killed. */
  readonly watchdog?: Pick<Watchdog, 'watch' | 'forget'> | undefined
}

/** The command of `ready` is killed after this time. */
const COMMAND_TIMEOUT_MS = 5000

/** How a life ended, and whether that was asked for. */
interface Ended {
  readonly exit: Exit | undefined
  readonly livedMs: number
  readonly isAsked: boolean
}

/**
 * Pipes for so many first processes, made while the code that spawns is being loaded: hand one to each `start`. None where
 * they cannot be made: then each app makes its own, and tells what hinders it.
 */
export async function preparePipes(count: number): Promise<readonly ProcessPipes[]> {
  const [pipes] = await Promise.all([makePipes(count).catch((): ProcessPipes[] => []), loadSpawn()])
  return pipes
}

/** A program of a plan, from its start through its processes until it is wanted no more or will not be started again. */
export class SupervisedApp implements Supervised {
  readonly ended: Promise<AppState>
  readonly #options: AppOptions
  readonly #machine: StateMachine
  readonly #target: ReturnType<typeof targetOf>
  readonly #end = Promise.withResolvers<AppState>()
  readonly #begun = Promise.withResolvers<void>()
  /** Aborted once: this app is wanted no more. */
  readonly #over = new AbortController()
  /** Aborted once: there is no grace any more. */
  readonly #now = new AbortController()
  /** Aborted per process: this process is wanted no more, this backoff is not waited out. */
  #asked = new AbortController()
  #why: Why = 'user'
  /** Who asked for the present process; undefined: nobody, it follows by the restart policy. */
  #begunBy: Why | undefined
  /** The present process was ready once. */
  #wasReady = false
  #hasStarted = false
  #failures: Failures = NO_FAILURES
  #markers = 0
  #stderr = new Tail()
  #lived = {from: 0, to: 0}
  #foreignListener: ForeignListener | undefined
  #recheck = (): void => undefined
  #stopWatching = (): void => undefined

  constructor(options: AppOptions) {
    this.#options = options
    this.#machine = new StateMachine(options.plan.id, state => {
      this.#begun.resolve() // the first move: it was spawned, or it never will be
      options.moved(state)
    })
    this.#target = targetOf(options.plan, options.appPort)
    this.#begunBy = options.begunBy
    this.ended = this.#end.promise
  }

  get state(): AppState {
    return this.#machine.state
  }

  get lastLines(): readonly string[] {
    return this.#stderr.lines
  }

  get bestLine(): string {
    return bestLine(this.#stderr.all)
  }

  get shortRuns(): number {
    return this.#failures.short
  }

  get lived(): {readonly from: number; readonly to: number} {
    return this.#lived
  }

  /** Takes the pipes of the first process, which it makes itself when there are none. */
  async start(pipes?: ProcessPipes): Promise<void> {
    if (!this.#hasStarted) {
      this.#hasStarted = true
      this.#run(pipes).then(this.#end.resolve, this.#end.reject)
    }
    await Promise.race([this.#begun.promise, this.ended])
  }

  restart(why: Why): void {
    if (!this.#asked.signal.aborted) this.#why = why
    this.#asked.abort()
  }

  async stop(why: Why): Promise<void> {
    this.#over.abort()
    this.restart(why)
    await this.start()
    await this.ended
  }

  stopNow(): void {
    this.#now.abort()
    void this.stop('user')
  }

  recheck(): void {
    this.#recheck()
  }

  /** No process is started any more. */
  get #isOver(): boolean {
    return this.#over.signal.aborted || this.#options.maySpawn?.() === false
  }

  async #run(firstPipes: ProcessPipes | undefined): Promise<AppState> {
    let exit: Exit | undefined
    let pipes = firstPipes
    while (!this.#isOver) {
      const ended = await this.#live(pipes)
      pipes = undefined
      exit = ended.exit ?? exit
      if (this.#isOver) break
      if (ended.isAsked || exit === undefined) {
        this.#failures = NO_FAILURES
        this.#begunBy = ended.isAsked ? this.#why : undefined
        continue
      }
      this.#failures = afterRun(this.#failures, ended.livedMs)
      const {plan, next: decide = nextStart} = this.#options
      const next = decide(plan.restart, this.#failures, exit, this.#hasFailedAfterChange(exit, ended.livedMs))
      if (typeof next === 'string') return this.#enterLast(exit, next === 'given up')
      await this.#backOff(next, exit)
    }
    if (pipes !== undefined) closePipes(pipes)
    return this.#machine.enter({phase: 'exited', exit, asked: true})
  }

  /** One process, from its pipes to the last of its processes. */
  async #live(given: ProcessPipes | undefined): Promise<Ended> {
    const [pipes, spawn] = await Promise.all([given ?? this.#makePipes(), loadSpawn(), this.#lookForForeignListener()])
    if (this.#isOver) {
      if ('stdout' in pipes) closePipes(pipes)
      return {exit: undefined, livedMs: 0, isAsked: true}
    }
    this.#asked = new AbortController() // what was asked for earlier is granted by this process
    if (!('stdout' in pipes)) {
      this.#machine.enter({phase: 'starting', pid: undefined})
      return {exit: pipes, livedMs: 0, isAsked: false}
    }
    const folder = await this.#folder()
    if (this.#isOver) {
      closePipes(pipes)
      return {exit: undefined, livedMs: 0, isAsked: true}
    }
    const appProcess = this.#begin(pipes, spawn, folder)
    await Promise.race([appProcess.group.exited, aborted(this.#asked.signal)])
    return this.#finish(appProcess)
  }

  /** What is asked for while the folder is made ready may need another look at it. */
  async #folder(): Promise<string> {
    const {plan, folder} = this.#options
    if (folder === undefined) return plan.folder
    for (;;) {
      const ready = await folder()
      if (!this.#asked.signal.aborted || this.#isOver) return ready
      this.#asked = new AbortController()
    }
  }

  #begin(pipes: ProcessPipes, spawn: Spawn, folder: string): AppProcess {
    const {plan, environment, processMarker, single, lines} = this.#options
    const number = ++this.#markers
    const stderr = new Tail()
    this.#stderr = stderr
    this.#wasReady = false
    const env = environment(number)
    const readiness = this.#readinessOf(() => appProcess, {folder, env})
    const appProcess = new AppProcess({
      spawn,
      pipes,
      // as Dapr's CLI does in a template (pkg/standalone/run.go): a missing program is the shell's to report, with 127
      command: single === undefined ? [shellFor(plan), '-c', 'exec "$@"', 'sh', ...plan.command] : plan.command,
      folder,
      env,
      marker: `PILLION_LIFE=${processMarker(number)}`,
      input: single?.input,
      isRaw: single !== undefined,
      take: (stream, text) => {
        if (stream === 'stderr') stderr.see(text)
        readiness.see(stream, text)
        return lines({app: plan.id, stream, text})
      }
    })
    this.#options.watchdog?.watch(appProcess.group)
    this.#machine.enter({phase: 'starting', pid: appProcess.group.pid})
    this.#watchReady(appProcess, readiness)
    return appProcess
  }

  /** The leader has exited, or is asked to. */
  async #finish(appProcess: AppProcess): Promise<Ended> {
    const isAsked = this.#asked.signal.aborted
    this.#stopWatching()
    const {pid} = appProcess.group
    if (isAsked) this.#machine.enter({phase: 'stopping', pid, why: this.#why})
    else if (this.#machine.isReady) this.#machine.enter({phase: 'running', pid, ready: false})
    const exit = await appProcess.end({
      stop: this.#options.plan.stop,
      isSuccess: !isAsked && succeeded(await appProcess.group.exited),
      now: this.#now.signal,
      ended: orphan => this.#options.noted({type: 'orphan-ended', ...orphan})
    })
    this.#options.watchdog?.forget(appProcess.group)
    this.#lived = appProcess.lived
    return {exit, livedMs: this.#lived.to - this.#lived.from, isAsked}
  }

  /** What follows the readiness of one process: `recheck` may ask for it again, `#stopWatching` ends it. */
  #watchReady({group: {pid}}: AppProcess, readiness: Readiness): void {
    const over = new AbortController()
    const watch = async (): Promise<void> => {
      const isReady = await readiness.reached(over.signal)
      if (!isReady || over.signal.aborted) return
      this.#wasReady = true
      this.#machine.enter({phase: 'running', pid, ready: true})
    }
    this.#stopWatching = () => over.abort()
    this.#recheck = () => {
      if (over.signal.aborted || !readiness.isProbed || !this.#machine.isReady) return
      this.#machine.enter({phase: 'running', pid, ready: false})
      void watch()
    }
    if (pid !== undefined) void watch()
  }

  #readinessOf(appProcess: () => AppProcess, where: Pick<CommandOptions, 'folder' | 'env'>): Readiness {
    const {plan, noted} = this.#options
    return new Readiness({
      ready: plan.ready,
      target: this.#target,
      isApp: async address => {
        const {group, marker} = appProcess()
        return (await this.#foreignListener?.makesWay(address, {group: group.pid, marker})) ?? true
      },
      runCommand: async signal =>
        plan.ready.kind === 'command'
          ? runCommand({...where, command: plan.ready.command, timeoutMs: COMMAND_TIMEOUT_MS, signal})
          : '',
      slow: tried => noted({type: 'not-ready', timeoutMs: plan.ready.timeoutMs, tried})
    })
  }

  /** Before the first spawn only: later it is most likely ours. */
  async #lookForForeignListener(): Promise<void> {
    const {plan, appPort, noted} = this.#options
    const foreignListener = this.#markers === 0 ? await findForeignListener(plan, appPort) : undefined
    if (foreignListener === undefined) return
    if (this.#target.port === appPort) this.#foreignListener = foreignListener
    noted({type: 'port-taken', port: appPort, owner: foreignListener.owner})
  }

  async #makePipes(): Promise<ProcessPipes | Exit> {
    try {
      const [pipes] = await makePipes(1)
      if (pipes === undefined) throw new Error('one life has one set of pipes')
      return pipes
    } catch (error) {
      return {kind: 'spawn-error', message: `no pipes for its output: ${messageOf(error)}`}
    }
  }

  async #backOff(delayMs: number, last: Exit): Promise<void> {
    this.#machine.enter({phase: 'backoff', failures: this.#failures.inARow, until: Date.now() + delayMs, last})
    if (delayMs === Infinity) await aborted(this.#asked.signal)
    else await pause(delayMs, this.#asked.signal)
    const isAsked = this.#asked.signal.aborted
    if (isAsked) this.#failures = NO_FAILURES
    this.#begunBy = isAsked ? this.#why : undefined
  }

  /** The process was started because a file changed, and failed before it was ready: the next change may correct it. */
  #hasFailedAfterChange(exit: Exit, livedMs: number): boolean {
    const wasUp = this.#wasReady && !(this.#options.plan.ready.kind === 'spawned' && isShort(livedMs))
    return this.#begunBy === 'watch' && !wasUp && !succeeded(exit)
  }

  #enterLast(exit: Exit, isGivenUp: boolean): AppState {
    const state = this.#machine.enter({phase: 'exited', exit, asked: false})
    const markers = this.#failures.short
    if (isGivenUp) this.#options.noted({type: 'given-up', markers, exit, line: this.bestLine})
    return state
  }
}
