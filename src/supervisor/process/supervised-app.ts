import type {Readable} from 'node:stream'
import type {Sink} from '../../model/events.ts'
import {succeeded, type AppState, type Exit, type Why} from '../../model/app-state.ts'
import {StateMachine} from './state-machine.ts'
import type {ProcessWatchdog} from './watchdog.ts'
import {AppProcess, type ProcessPlace} from './app-process.ts'
import {aborted, pause} from '../../platform/delay.ts'
import {closePipes, type ProcessPipes} from '../../platform/pipes.ts'
import type {ProcessTerminal} from './app-terminal.ts'
import type {CommandOptions} from '../../platform/run-command.ts'
import {dropStdio, placeOrExit, processPipes, type ProcessStdio} from './process-pipes.ts'
import {Readiness, ReadyWatch, probeTargetOf} from './readiness.ts'
import {ReadyCommand, type ReadyCommandOptions} from './ready-command.ts'
import {afterRun, isShort, NO_FAILURES, type AfterExit, type ExitByItself, type Failures} from './restart-policy.ts'
import {shellFor} from '../../platform/run-script.ts'
import {findForeignListeners, type ForeignListener} from './foreign-listener.ts'
import type {Supervised} from './supervised.ts'
import {Tail} from './line-splitter.ts'
import {bestLine, knownCause} from '../messages/best-line.ts'

export interface SupervisedOptions extends ReadyCommandOptions {
  /** Returns the complete environment of a process, including the markers. Called right before the spawn. `appProcess`: number from 1. */
  readonly environment: (appProcess: number) => Readonly<Record<string, string>>
  /** Returns the value of `PILLION_LIFE` in that environment. */
  readonly processMarker: (appProcess: number) => string
  /** Returns the working directory of a process. Called right before the spawn. Omitted: the folder of the plan. */
  readonly folder?: (() => string | Promise<string>) | undefined
  readonly lines: Sink
  readonly moved: (state: AppState) => void
  /** Set for the only app of a run: its command runs without a shell, its output is delivered unchanged, and it may read stdin. */
  readonly single?: {readonly input: Readable | undefined} | undefined
  /** Decides what follows an exit that nothing requested. */
  readonly next: (ended: ExitByItself) => AfterExit
  /** Cause of the first process, if it replaces another; undefined: it replaces none. */
  readonly begunBy?: Why | undefined
  /** First state: `stopping` while the replaced process of the same plan ends; omitted: `idle`. */
  readonly first?: AppState | undefined
  /** Called right before each spawn. Returns false to end the app without another process. */
  readonly maySpawn?: (() => boolean) | undefined
  /** Gets each process group, to end it if Pillion is killed. */
  readonly watchdog?: ProcessWatchdog | undefined
  /** Opens the terminal that the plan demands (`tty: true`). */
  readonly openTerminal?: (() => Promise<ProcessTerminal | Exit>) | undefined
}

/** Number of kept characters of stdout: a compiler or logger explains a failure at the end. */
const KEPT_OF_STDOUT = 16 * 1024
/** Maximum age of output at the exit that may explain the exit, in ms. */
const EXPLAINS_MS = 2000

/** The exit of a process that nothing requested. `asked`: its end was requested, or it was not spawned since the app ends. */
type Ended = {readonly exit: Exit; readonly livedMs: number} | 'asked'

const EXEC = ['-c', 'exec "$@"', 'sh']

/**
 * Runs the processes of an app one after the other, until it is stopped or no longer restarted. The loop `#run` makes all changes of the state.
 * Requests only abort signals: `#asked` ends a process, a backoff or a sleep; `#over` ends the app; `#now` ends each grace period.
 * Guarantees: `stop` waits until no process is left; the last line of output is not lost; processes of other programs never get a signal.
 */
export class SupervisedApp implements Supervised {
  readonly #options: SupervisedOptions
  readonly #machine: StateMachine
  readonly #target: ReturnType<typeof probeTargetOf>
  readonly #readyCommand: ReadyCommand
  readonly #end = Promise.withResolvers<AppState>()
  readonly ended = this.#end.promise
  #begun = Promise.withResolvers<void>()
  /** Aborted once, when the app is stopped. */
  readonly #over = new AbortController()
  /** Aborted to stop without a grace period, or to end it early. */
  readonly #now = new AbortController()
  /** Aborted when a stop, sleep or start is requested: ends the current process, backoff or sleep. */
  #asked = new AbortController()
  #why: Why = 'user'
  /** Whether the loop goes to sleep once the current process has ended. */
  #isToSleep = false
  /** Cause of the current process; undefined: the first start, or the restart policy. */
  #begunBy: Why | undefined
  /** Whether the current process has been ready. */
  #wasReady = false
  #hasStarted = false
  #failures: Failures = NO_FAILURES
  #generation = 0
  #stderr = new Tail()
  #stdout = new Tail(KEPT_OF_STDOUT)
  #lived: Supervised['lived'] = {from: 0, to: 0}
  /** Exit of the last process; undefined: none has ended. */
  #exit: Exit | undefined
  #foreignListener: ForeignListener | undefined
  /** Watch for the readiness of the current process; undefined: none was started. */
  #watch: ReadyWatch | undefined
  terminal: ProcessTerminal | undefined

  constructor(options: SupervisedOptions) {
    this.#options = options
    const moved = (state: AppState): void => {
      this.#begun.resolve() // the first change of state shows that a process was spawned, or never will be
      options.moved(state)
    }
    this.#machine = new StateMachine(options.plan.id, moved, options.first)
    this.#target = probeTargetOf(options.plan, options.appPort)
    this.#readyCommand = new ReadyCommand(options)
    this.#begunBy = options.begunBy
  }

  get state(): AppState {
    return this.#machine.state
  }

  get lastLines(): Supervised['lastLines'] {
    return {stdout: this.#stdout.lines, stderr: this.#stderr.lines}
  }

  get bestLine(): string {
    const known = knownCause(this.#exit, this.#options.plan.limits?.memoryBytes)
    const since = this.#lived.to - EXPLAINS_MS
    return known ?? bestLine(this.#stderr.since(since), this.#stdout.since(since))
  }

  get shortRuns(): number {
    return this.#failures.short
  }

  get lived(): Supervised['lived'] {
    return this.#lived
  }

  /** `pipes`: pipes for the first process; omitted: creates them. */
  async start(pipes?: ProcessPipes): Promise<void> {
    if (this.#isToSleep || this.state.phase === 'asleep') this.#ask('user')
    this.#begin(pipes)
    await Promise.race([this.#begun.promise, this.ended])
  }

  sleep(): void {
    this.#ask('idle')
    this.#isToSleep = true
    this.#begin(undefined)
  }

  async stop(why: Why): Promise<void> {
    this.#over.abort()
    this.#ask(why)
    await this.start()
    await this.ended
  }

  stopNow(): void {
    this.#now.abort()
    void this.stop('user')
  }

  recheck(): void {
    if (this.#machine.isReady) this.#watch?.recheck()
  }

  /** Whether no further process may start. */
  get #isOver(): boolean {
    return this.#over.signal.aborted || this.#options.maySpawn?.() === false
  }

  /** Ends the current process, backoff or sleep. */
  #ask(why: Why): void {
    this.#isToSleep = false
    if (!this.#asked.signal.aborted) this.#why = why
    this.#asked.abort()
  }

  #begin(pipes: ProcessPipes | undefined): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#run(pipes).then(this.#end.resolve, this.#end.reject)
  }

  async #run(firstPipes: ProcessPipes | undefined): Promise<AppState> {
    let pipes = firstPipes
    while (!this.#isOver) {
      if (this.#isToSleep) {
        await this.#sleep(undefined)
        continue
      }
      const ended = await this.#live(pipes)
      pipes = undefined
      if (this.#isOver) break
      if (ended === 'asked') {
        this.#begunBy = this.#why
        continue
      }
      const {exit} = ended
      const next = this.#next(ended)
      if (next.kind === 'sleeps') await this.#sleep(exit)
      else if (next.kind === 'starts') await this.#backOff(next.inMs, exit)
      else if (next.kind === 'waits') await this.#backOff(Infinity, exit)
      else return this.#enterLast(exit, next.kind === 'given up')
    }
    if (pipes !== undefined) closePipes(pipes)
    return this.#machine.enter({phase: 'exited', exit: this.#exit, asked: true})
  }

  /** Runs one process, from the creation of its pipes to the end of its group. */
  async #live(given: ProcessPipes | undefined): Promise<Ended> {
    const {plan, openTerminal = processPipes} = this.#options
    const open: (over: AbortSignal) => Promise<ProcessStdio | Exit> = plan.tty === true ? openTerminal : processPipes
    const [stdio] = await Promise.all([given ?? open(this.#over.signal), this.#lookForForeignListener()])
    if (this.#isOver) {
      if (!('kind' in stdio)) dropStdio(stdio)
      return 'asked'
    }
    this.#asked = new AbortController() // the new process fulfils all earlier requests
    if ('kind' in stdio) return this.#failToSpawn(stdio)
    const place = await placeOrExit(async () => this.#prepare())
    if ('kind' in place || this.#isOver) {
      dropStdio(stdio)
      if ('kind' in place) return this.#failToSpawn(place)
      place.limited?.release()
      return 'asked'
    }
    const appProcess = this.#spawn(stdio, place)
    const over = this.#asked.signal
    const ended = appProcess.ended(this.#target, {
      wasReady: () => {
        if (!this.#machine.isReady) this.#watch?.end() // no more probes: another program may respond at the port
        return this.#machine.isReady
      },
      over,
      followed: pid => this.#follow(appProcess, pid)
    })
    await Promise.race([ended, aborted(over)])
    return this.#finish(appProcess)
  }

  #failToSpawn(exit: Exit): Ended {
    this.#machine.enter({phase: 'starting', pid: undefined})
    this.#exit = exit
    return {exit, livedMs: 0}
  }

  async #prepare(): Promise<ProcessPlace> {
    const {plan, environment, processMarker, noted, watchdog} = this.#options
    const folder = await (this.#options.folder?.() ?? plan.folder)
    const env = environment(++this.#generation)
    // reads the marker in the same turn as the environment: the next marker may belong to another process
    const place = {folder, env, marker: `PILLION_LIFE=${processMarker(this.#generation)}`}
    await watchdog?.openNetwork(plan.command, env, why => noted({type: 'no-network', why}))
    return plan.limits ? {...place, limited: (await import('./limits.ts')).limitsFor(plan.limits, noted)} : place
  }

  #spawn(stdio: ProcessStdio, place: ProcessPlace): AppProcess {
    const {plan, single, lines, wordsOf = words => words} = this.#options
    const words = wordsOf(plan.command)
    const stderr = (this.#stderr = new Tail())
    const stdout = (this.#stdout = new Tail(KEPT_OF_STDOUT))
    this.#wasReady = false
    const readiness = this.#readinessOf(() => appProcess, place)
    this.terminal = 'lines' in stdio ? stdio : undefined
    const appProcess = new AppProcess({
      ...place,
      stdio,
      // runs a shell as Dapr's CLI does for a template (pkg/standalone/run.go), which reports a missing program by exit code 127
      command: single === undefined ? [shellFor(place.env), ...(this.terminal?.exec ?? EXEC), ...words] : words,
      input: single?.input,
      isRaw: single !== undefined,
      take: (stream, text) => {
        const tail = stream === 'stderr' || 'lines' in stdio ? stderr : stdout
        tail.see(text)
        readiness.see(stream, text)
        return lines({app: plan.id, stream, text})
      }
    })
    this.#options.watchdog?.watch(appProcess.group, plan.stop.timeoutMs, appProcess.container)
    this.#machine.enter({phase: 'starting', pid: appProcess.group.pid})
    this.#watch = new ReadyWatch(readiness, isReady => this.#enterRunning(appProcess, isReady))
    if (appProcess.pid !== undefined) this.#watch.begin()
    return appProcess
  }

  /** Makes a server that the leader has left in the background the app's process. */
  #follow(appProcess: AppProcess, pid: number): void {
    this.#options.noted({type: 'in-background', pid, port: this.#target.port})
    if (this.#machine.isReady) this.#enterRunning(appProcess, true)
    else this.#watch?.begin()
  }

  #enterRunning({pid}: AppProcess, isReady: boolean): void {
    this.#wasReady ||= isReady
    this.#machine.enter({phase: 'running', pid, ready: isReady})
  }

  /** Ends the rest of a process group, after its leader has exited or its end was requested. */
  async #finish(appProcess: AppProcess): Promise<Ended> {
    const isAsked = this.#asked.signal.aborted
    this.#watch?.end()
    const {pid, server} = appProcess
    const {stop} = this.#options.plan
    if (isAsked) this.#machine.enter({phase: 'stopping', pid, why: this.#why})
    else if (this.#machine.isReady) this.#machine.enter({phase: 'running', pid, ready: false, isEnding: true})
    const exit = (this.#exit = await appProcess.end({
      stop: server === undefined ? stop : {...stop, scope: 'all'},
      isSuccess: !isAsked && server === undefined && succeeded(await appProcess.group.exited),
      now: this.#now.signal,
      ended: orphan => {
        if (orphan.pid !== server?.pid) this.#options.noted({type: 'orphan-ended', ...orphan})
      }
    }))
    this.#options.watchdog?.forget(appProcess.group)
    this.#lived = appProcess.lived
    if (!this.#asked.signal.aborted) return {exit, livedMs: this.#lived.to - this.#lived.from}
    // the end was requested while the rest of the group was ending
    if (!isAsked) this.#machine.enter({phase: 'stopping', pid, why: this.#why})
    return 'asked'
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
      runCommand: async signal => this.#readyCommand.run({...where, signal}),
      slow: tried => noted({type: 'not-ready', timeoutMs: plan.ready.timeoutMs, tried})
    })
  }

  /** Looks for another program at the app's port. Only before the first spawn and after a sleep: later the listener is probably the app itself. */
  async #lookForForeignListener(): Promise<void> {
    const {plan, appPort, noted, first} = this.#options
    if ((this.#generation > 0 || first?.phase === 'stopping') && this.state.phase !== 'asleep') return
    const isReplacing = this.#begunBy !== undefined
    const found = await findForeignListeners(plan, {appPort, isReplacing}, this.#target.port)
    for (const {port, owner} of found) noted({type: 'port-taken', port, owner, isCalled: port === appPort})
    this.#foreignListener = found.find(({port}) => port === this.#target.port)
  }

  async #backOff(delayMs: number, last: Exit): Promise<void> {
    this.#machine.enter({phase: 'backoff', failures: this.#failures.inARow, until: Date.now() + delayMs, last})
    if (delayMs === Infinity) await aborted(this.#asked.signal)
    else await pause(delayMs, this.#asked.signal)
    this.#begunBy = undefined
  }

  /** Decides what follows an exit that nothing requested. */
  #next({exit, livedMs}: Exclude<Ended, 'asked'>): AfterExit {
    const {plan, next} = this.#options
    this.#failures = afterRun(this.#failures, livedMs)
    const wasUp = this.#wasReady && !(plan.ready.kind === 'spawned' && isShort(livedMs))
    // a save has broken the code, so that the next save may correct it
    const hasFailedAfterChange = this.#begunBy === 'watch' && !wasUp && !succeeded(exit)
    return next({policy: plan.restart, failures: this.#failures, exit, hasFailedAfterChange})
  }

  /** Sleeps until a process or the end is requested. `last`: exit of the latest process that nothing requested; undefined: none. */
  async #sleep(last: Exit | undefined): Promise<void> {
    this.#asked = new AbortController()
    this.#isToSleep = false
    this.#failures = NO_FAILURES
    this.#machine.enter({phase: 'asleep', last})
    this.#begun = Promise.withResolvers()
    await aborted(this.#asked.signal)
    this.#begunBy = this.#why
  }

  #enterLast(exit: Exit, isGivenUp: boolean): AppState {
    this.#machine.enter({phase: 'exited', exit, asked: false})
    if (isGivenUp) this.#options.noted({type: 'given-up', times: this.shortRuns, exit, line: this.bestLine})
    return this.state
  }
}
