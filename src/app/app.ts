/**
 * One supervised program. This room spawns it, reads what it writes, tells when it is ready, starts it again as its plan
 * says, and ends it with all that it forked. It promises: nobody but an app's own loop moves its state; whoever stops it
 * waits until nothing of it is left; its last line is not lost; and no process of anybody else is ever signalled.
 */
import type {Readable} from 'node:stream'
import {messageOf} from '../errors.ts'
import type {Sink} from '../event.ts'
import type {AppPlan} from '../plan.ts'
import {succeeded, type AppState, type Exit, type Why} from '../state.ts'
import {Course} from './course.ts'
import type {Guardian} from './guardian.ts'
import {loadSpawn, type Spawn} from './group.ts'
import {Life} from './life.ts'
import {aborted, pause} from './pause.ts'
import {closePipes, makePipes, type LifePipes} from './pipes.ts'
import {Readiness, targetOf} from './readiness.ts'
import {afterLife, nextLife, NO_FAILURES, type Failures} from './restart.ts'
import {shellFor} from './shell.ts'
import {findStranger, type Stranger} from './stranger.ts'
import type {Note, Supervised} from './supervised.ts'
import {Tail} from './lines.ts'

export interface AppOptions {
  readonly plan: AppPlan
  /** The whole environment of one life, counted from 1; it holds the marks. Called right before the spawn. */
  readonly environment: (life: number) => Readonly<Record<string, string>>
  /** The value of `PILLION_LIFE` in that environment. */
  readonly lifeMark: (life: number) => string
  /** Where the app listens; 0 = nowhere. */
  readonly appPort: number
  /** Where a life runs, if not in the folder of the plan. Called right before the spawn. */
  readonly folder?: (() => string) | undefined
  readonly lines: Sink
  readonly moved: (state: AppState) => void
  readonly noted: (note: Note) => void
  /** The only app of a run: its command is run without a shell, its output comes byte for byte, and it may read. */
  readonly single?: {readonly input: Readable | undefined} | undefined
  /** What follows an unasked exit; `Infinity`: nothing, until a new life is asked for. */
  readonly next?: typeof nextLife
  /** Asked right before each spawn; false: the app ends without another process. */
  readonly maySpawn?: (() => boolean) | undefined
  /** Told of each group, should we be killed. */
  readonly guardian?: Pick<Guardian, 'watch' | 'forget'> | undefined
}

/** How a life ended, and whether that was asked for. */
interface Ended {
  readonly exit: Exit | undefined
  readonly livedMs: number
  readonly isAsked: boolean
}

/**
 * Pipes for so many first lives, made while the code that spawns is being loaded: hand one to each `start`. None where
 * they cannot be made: then each app makes its own, and tells what hinders it.
 */
export async function prepareLives(count: number): Promise<readonly LifePipes[]> {
  const [pipes] = await Promise.all([makePipes(count).catch((): LifePipes[] => []), loadSpawn()])
  return pipes
}

/** A program of a plan, from its start through its lives until it is wanted no more or will not be started again. */
export class App implements Supervised {
  readonly ended: Promise<AppState>
  readonly #options: AppOptions
  readonly #course: Course
  readonly #target: ReturnType<typeof targetOf>
  readonly #end = Promise.withResolvers<AppState>()
  readonly #begun = Promise.withResolvers<void>()
  /** Aborted once: this app is wanted no more. */
  readonly #over = new AbortController()
  /** Aborted once: there is no grace any more. */
  readonly #now = new AbortController()
  /** Aborted per life: this process is wanted no more, this backoff is not waited out. */
  #asked = new AbortController()
  #why: Why = 'user'
  #hasStarted = false
  #failures: Failures = NO_FAILURES
  #lives = 0
  #stderr = new Tail()
  #lived = {from: 0, to: 0}
  #stranger: Stranger | undefined
  #recheck = (): void => undefined
  #stopWatching = (): void => undefined

  constructor(options: AppOptions) {
    this.#options = options
    this.#course = new Course(options.plan.id, state => {
      this.#begun.resolve() // the first move: it was spawned, or it never will be
      options.moved(state)
    })
    this.#target = targetOf(options.plan, options.appPort)
    this.ended = this.#end.promise
  }

  get state(): AppState {
    return this.#course.state
  }

  get lastLines(): readonly string[] {
    return this.#stderr.lines
  }

  get shortLives(): number {
    return this.#failures.short
  }

  get lived(): {readonly from: number; readonly to: number} {
    return this.#lived
  }

  /** Takes the pipes of the first life, which it makes itself when there are none. */
  async start(pipes?: LifePipes): Promise<void> {
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

  async #run(firstPipes: LifePipes | undefined): Promise<AppState> {
    let exit: Exit | undefined
    let pipes = firstPipes
    while (!this.#isOver) {
      const ended = await this.#live(pipes)
      pipes = undefined
      exit = ended.exit ?? exit
      if (this.#isOver) break
      if (ended.isAsked || exit === undefined) {
        this.#failures = NO_FAILURES
        continue
      }
      this.#failures = afterLife(this.#failures, ended.livedMs)
      const {plan, next: decide = nextLife} = this.#options
      const next = decide(plan.restart, this.#failures, exit)
      if (typeof next === 'string') return this.#enterLast(exit, next === 'given up')
      await this.#backOff(next, exit)
    }
    if (pipes !== undefined) closePipes(pipes)
    return this.#course.enter({phase: 'exited', exit, asked: true})
  }

  /** One life, from its pipes to the last of its processes. */
  async #live(given: LifePipes | undefined): Promise<Ended> {
    const [pipes, spawn] = await Promise.all([given ?? this.#makePipes(), loadSpawn(), this.#lookForStranger()])
    if (this.#isOver) {
      if ('stdout' in pipes) closePipes(pipes)
      return {exit: undefined, livedMs: 0, isAsked: true}
    }
    this.#asked = new AbortController() // what was asked for earlier is granted by this life
    if (!('stdout' in pipes)) {
      this.#course.enter({phase: 'starting', pid: undefined})
      return {exit: pipes, livedMs: 0, isAsked: false}
    }
    const life = this.#begin(pipes, spawn)
    await Promise.race([life.group.exited, aborted(this.#asked.signal)])
    return this.#finish(life)
  }

  #begin(pipes: LifePipes, spawn: Spawn): Life {
    const {plan, environment, lifeMark, single, lines} = this.#options
    const number = ++this.#lives
    const stderr = new Tail()
    this.#stderr = stderr
    const readiness = this.#readinessOf(() => life)
    const life = new Life({
      spawn,
      pipes,
      // as Dapr's CLI does in a template (pkg/standalone/run.go): a missing program is the shell's to report, with 127
      command: single === undefined ? [shellFor(plan), '-c', 'exec "$@"', 'sh', ...plan.command] : plan.command,
      folder: this.#options.folder?.() ?? plan.folder,
      env: environment(number),
      mark: `PILLION_LIFE=${lifeMark(number)}`,
      input: single?.input,
      isRaw: single !== undefined,
      take: (stream, text) => {
        if (stream === 'stderr') stderr.see(text)
        readiness.see(stream, text)
        return lines({app: plan.id, stream, text})
      }
    })
    this.#options.guardian?.watch(life.group)
    this.#course.enter({phase: 'starting', pid: life.group.pid})
    this.#watchReady(life, readiness)
    return life
  }

  /** The leader has exited, or is asked to. */
  async #finish(life: Life): Promise<Ended> {
    const isAsked = this.#asked.signal.aborted
    this.#stopWatching()
    const {pid} = life.group
    if (isAsked) this.#course.enter({phase: 'stopping', pid, why: this.#why})
    else if (this.#course.isReady) this.#course.enter({phase: 'running', pid, ready: false})
    const exit = await life.end({
      stop: this.#options.plan.stop,
      isSuccess: !isAsked && succeeded(await life.group.exited),
      now: this.#now.signal,
      ended: stray => this.#options.noted({type: 'stray-ended', ...stray})
    })
    this.#options.guardian?.forget(life.group)
    this.#lived = life.lived
    return {exit, livedMs: this.#lived.to - this.#lived.from, isAsked}
  }

  /** What follows the readiness of one life: `recheck` may ask for it again, `#stopWatching` ends it. */
  #watchReady({group: {pid}}: Life, readiness: Readiness): void {
    const over = new AbortController()
    const watch = async (): Promise<void> => {
      const isReady = await readiness.reached(over.signal)
      if (isReady && !over.signal.aborted) this.#course.enter({phase: 'running', pid, ready: true})
    }
    this.#stopWatching = () => over.abort()
    this.#recheck = () => {
      if (over.signal.aborted || !readiness.isProbed || !this.#course.isReady) return
      this.#course.enter({phase: 'running', pid, ready: false})
      void watch()
    }
    if (pid !== undefined) void watch()
  }

  #readinessOf(life: () => Life): Readiness {
    const {plan, noted} = this.#options
    return new Readiness({
      ready: plan.ready,
      target: this.#target,
      isApp: async address => {
        const {group, mark} = life()
        return (await this.#stranger?.makesWay(address, {group: group.pid, mark})) ?? true
      },
      slow: tried => noted({type: 'not-ready', timeoutMs: plan.ready.timeoutMs, tried})
    })
  }

  /** Before the first spawn only: later it is most likely ours. */
  async #lookForStranger(): Promise<void> {
    const {plan, appPort, noted} = this.#options
    const stranger = this.#lives === 0 ? await findStranger(plan, appPort) : undefined
    if (stranger === undefined) return
    if (this.#target.port === appPort) this.#stranger = stranger
    noted({type: 'port-taken', port: appPort, owner: stranger.owner})
  }

  async #makePipes(): Promise<LifePipes | Exit> {
    try {
      const [pipes] = await makePipes(1)
      if (pipes === undefined) throw new Error('one life has one set of pipes')
      return pipes
    } catch (error) {
      return {kind: 'spawn-error', message: `no pipes for its output: ${messageOf(error)}`}
    }
  }

  async #backOff(delayMs: number, last: Exit): Promise<void> {
    this.#course.enter({phase: 'backoff', failures: this.#failures.inARow, until: Date.now() + delayMs, last})
    if (delayMs === Infinity) await aborted(this.#asked.signal)
    else await pause(delayMs, this.#asked.signal)
    if (this.#asked.signal.aborted) this.#failures = NO_FAILURES
  }

  #enterLast(exit: Exit, isGivenUp: boolean): AppState {
    const state = this.#course.enter({phase: 'exited', exit, asked: false})
    const lives = this.#failures.short
    if (isGivenUp) this.#options.noted({type: 'given-up', lives, exit, lastLines: this.lastLines})
    return state
  }
}
