import type {RunEvent} from '../../../model/events.ts'
import {exitCodeOf, succeeded, type Exit} from '../../../model/app-state.ts'
import type {Place} from '../../../model/errors.ts'
import {endOf} from '../../../model/exit-text.ts'
import type {RunControl} from '../../../control/run-control.ts'
import {pause} from '../../../platform/delay.ts'
import type {Run} from '../../../run/run.ts'
import {ForegroundCommand} from '../../../supervisor/process/foreground-command.ts'
import {collectOutcome, ownRun, type Collected, readinessOf} from './collect.ts'
import type {CommandRunOptions} from './options.ts'
import {seconds, type RunCheck, type RunOutcome} from './outcome.ts'
import type {ReportFolder} from './report-folder.ts'

/** GNU timeout's exit code. */
export const EXIT_TIMEOUT = 124
/** Exit code if the apps could not be used, and the command was not started. */
export const EXIT_NOT_READY = 125
/** Time between SIGTERM and SIGKILL of the command. */
export const GRACE_MS = 5000
const LOOK_MS = 50
/** Default timeout for the run to become idle. */
const SETTLE_TIMEOUT_MS = 60_000
const SIGNALS = {SIGINT: 130, SIGTERM: 143, SIGHUP: 129} as const

export type EndSignal = keyof typeof SIGNALS

interface CommandRunContext {
  readonly options: CommandRunOptions
  readonly template: string
  readonly places: ReadonlyMap<string, Place>
  readonly say: (status: 'info' | 'warning', text: string) => void
  /** Settles when all messages are written. */
  readonly flush: () => Promise<void>
  readonly folder: ReportFolder | undefined
}

/** A run for one command: waits until its apps are ready, runs the command with its own sidecar, and stops the run. */
export class CommandRun {
  readonly #context: CommandRunContext
  readonly #startedAt = new Date()
  readonly #began = performance.now()
  readonly #checks: RunCheck[] = []
  /** Aborted when the time of `--timeout` is up. */
  readonly #late = new AbortController()
  /** Aborted when the run is ending, for whatever reason. */
  readonly #over = new AbortController()
  /** Aborted by a second signal: the rest of the command is killed at once. */
  readonly #now = new AbortController()
  /** Called when an app may have become ready. */
  #look: () => void = () => undefined
  #command: ForegroundCommand | undefined
  #exitCode = 0
  #signal: EndSignal | undefined
  #crashes = 0
  #isLateApp = false
  #collected: Collected = {apps: [], failedCalls: []}

  constructor(context: CommandRunContext) {
    this.#context = context
  }

  noticed(event: RunEvent): void {
    if (event.type === 'stopping') this.#over.abort()
    if (event.type === 'app-ended' && !this.#over.signal.aborted && !succeeded(event.exit)) this.#crashes++
    if (event.type === 'warned' && event.code === 'app-not-ready') this.#isLateApp = true
    this.#look()
  }

  /** Passes the first signal to a running command, and returns true. Returns false for other signals: they stop the run, or kill it. */
  takes(signal: EndSignal): boolean {
    const isFirst = this.#signal === undefined
    this.#signal ??= signal
    if (isFirst && this.#command !== undefined) {
      this.#command.pass(signal)
      this.#context.say('info', 'Waiting for the command to end. Press Ctrl-C again to kill everything immediately.')
      return true
    }
    this.#command?.signal('SIGKILL')
    if (!isFirst) this.#now.abort()
    return false
  }

  /** Waits until the apps are ready, runs the command, and stops the run. */
  async go(run: Run): Promise<void> {
    const {timeoutMs} = this.#context.options
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => this.#late.abort(), Math.max(0, timeoutMs - (performance.now() - this.#began)))
    try {
      const {control} = run
      if (control === undefined || this.#over.signal.aborted)
        this.#exitCode = this.#signal === undefined ? EXIT_NOT_READY : SIGNALS[this.#signal]
      else await this.#steps(run, control)
    } finally {
      clearTimeout(timer)
      run.stop()
    }
  }

  /** Notes that the run could not be started. */
  failed(why: string): void {
    this.#exitCode = EXIT_NOT_READY
    this.#check('the apps are ready', performance.now() - this.#began, why)
  }

  /** Returns the whole outcome, once the run has ended. */
  outcome(): RunOutcome {
    const {options, template} = this.#context
    return {
      template,
      command: options.command,
      startedAt: this.#startedAt,
      exitCode: this.#exitCode,
      checks: this.#checks,
      ...this.#collected
    }
  }

  async #steps(run: Run, control: RunControl): Promise<void> {
    const {options, folder, places} = this.#context
    const {as, isStrict} = options
    const found = folder && (await ownRun())
    if (found !== undefined) folder?.follow(found)
    const isReady = await this.#untilReady(control)
    if (isReady) {
      await this.#runCommand(control)
      await this.#settle(run)
    }
    this.#collected = await collectOutcome({control, as, places})
    if (found !== undefined) await folder?.saveCalls(found)
    if (isStrict && this.#exitCode === 0 && this.#crashes > 0) {
      this.#exitCode = 1
      this.#check('no app crashed', 0, `${this.#crashes} crashed`)
    }
  }

  async #untilReady(control: RunControl): Promise<boolean> {
    const began = performance.now()
    const {say, options} = this.#context
    const settled = Promise.withResolvers<string>()
    const look = (): void => {
      const {isReady, isOver} = readinessOf(control.list())
      if (isReady) settled.resolve('')
      else if (this.#signal !== undefined) settled.resolve(`${this.#signal} came before the apps were ready`)
      else if (this.#over.signal.aborted) settled.resolve('the run was stopped before the apps were ready')
      else if (this.#late.signal.aborted) settled.resolve(`the apps were not ready when the time was up`)
      else if (isOver || this.#isLateApp) settled.resolve('not all apps became ready')
    }
    this.#look = look
    this.#late.signal.addEventListener('abort', look)
    const timer = setInterval(look, LOOK_MS) // there is no event for a health check that succeeds again
    look()
    const failure = await settled.promise
    clearInterval(timer)
    this.#look = () => undefined
    const tookMs = performance.now() - began
    this.#check('the apps are ready', tookMs, failure)
    if (failure === '') {
      say('info', `The apps are ready after ${seconds(tookMs)}. Running: ${options.command}`)
      return true
    }
    this.#exitCode = this.#codeUnstarted()
    return false
  }

  #codeUnstarted(): number {
    if (this.#signal !== undefined) return SIGNALS[this.#signal]
    return this.#late.signal.aborted ? EXIT_TIMEOUT : EXIT_NOT_READY
  }

  async #runCommand(control: RunControl): Promise<void> {
    const {options, say} = this.#context
    const began = performance.now()
    const command = await this.#startCommand(control)
    if (command === undefined) {
      this.#exitCode = this.#codeUnstarted()
      return this.#check('the command', performance.now() - began, `${options.command}: it was not started`)
    }
    const cut = (): void => command.signal('SIGTERM')
    for (const {signal} of [this.#late, this.#over]) {
      signal.addEventListener('abort', cut)
      if (signal.aborted) cut()
    }
    const ended = new AbortController()
    void this.#killLate(command, ended.signal)
    const exit = await command.exited
    ended.abort()
    this.#command = undefined
    await command.endRest({
      graceMs: GRACE_MS,
      now: this.#now.signal,
      ended: ({pid, command: line}) =>
        say('warning', `ended process ${pid}, which the command had left behind: ${line}`)
    })
    const tookMs = performance.now() - began
    const isLate = this.#late.signal.aborted
    const wasStopped = this.#over.signal.aborted && this.#signal === undefined
    this.#exitCode = isLate ? EXIT_TIMEOUT : commandCode(exit)
    if (wasStopped && this.#exitCode === 0) this.#exitCode = 1
    const why = isLate ? ': the time was up' : wasStopped ? ': the run was stopped' : ''
    const text = `The command ${endOf(exit)} after ${seconds(tookMs)}${why}`
    say(this.#exitCode === 0 ? 'info' : 'warning', text)
    this.#check('the command', tookMs, this.#exitCode === 0 ? '' : `${options.command}: ${endOf(exit)}${why}`)
  }

  /** Waits until the run is idle, unless it is being stopped. */
  async #settle(run: Run): Promise<void> {
    const {options, say} = this.#context
    const {settleMs, timeoutMs} = options
    if (settleMs === 0 || this.#late.signal.aborted || this.#over.signal.aborted || this.#signal !== undefined) return
    const began = performance.now()
    const leftMs = Math.max(1, timeoutMs === Infinity ? SETTLE_TIMEOUT_MS : timeoutMs - (began - this.#began))
    const condition = {kind: 'idle', spanMs: settleMs, text: `idle:${settleMs}ms`} as const
    const {outcome, conditions, notes} = await run.api.wait({
      conditions: [condition],
      timeoutMs: leftMs,
      signal: this.#over.signal
    })
    const tookMs = performance.now() - began
    for (const note of notes) say('warning', note)
    const reason = conditions[0]?.reason ?? ''
    this.#check('the run is idle', tookMs, outcome === 'met' ? '' : `the run did not settle: ${reason}`)
    if (outcome === 'met') return say('info', `The run has been idle for ${seconds(settleMs)}`)
    if (this.#over.signal.aborted && !this.#late.signal.aborted) {
      if (this.#exitCode === 0) this.#exitCode = this.#signal === undefined ? 1 : SIGNALS[this.#signal]
      return
    }
    say('warning', `The run did not settle within ${seconds(tookMs)}: ${reason}`)
    if (this.#exitCode === 0) this.#exitCode = EXIT_TIMEOUT
  }

  /** Starts the command. Resolves with undefined if a signal, the timeout or the end of the run came first. */
  async #startCommand(control: RunControl): Promise<ForegroundCommand | undefined> {
    const {command, as} = this.#context.options
    const [launch] = await Promise.all([control.launch(as, ''), this.#context.flush()])
    if (this.#signal !== undefined || this.#late.signal.aborted || this.#over.signal.aborted) return undefined
    const {run} = control.list()
    const marker = `${run}-command`
    const environment = {...launch?.environment, PILLION_RUN: run, PILLION_LIFE: marker}
    this.#command = new ForegroundCommand(command, environment, marker)
    return this.#command
  }

  /** Kills the command if it still runs `GRACE_MS` after the SIGTERM of a timeout or of the run's end. */
  async #killLate(command: ForegroundCommand, ended: AbortSignal): Promise<void> {
    const asked = AbortSignal.any([this.#late.signal, this.#over.signal])
    if (!asked.aborted)
      await new Promise(resolve => {
        for (const signal of [asked, ended]) signal.addEventListener('abort', resolve)
      })
    if (ended.aborted) return
    await pause(GRACE_MS, ended)
    if (!ended.aborted) command.signal('SIGKILL')
  }

  #check(name: string, tookMs: number, failure: string): void {
    this.#checks.push({name, tookMs, failure})
  }
}

/** Returns the exit code as a shell does; 126 if the shell itself cannot be started. */
export const commandCode = (exit: Exit): number => (exit.kind === 'spawn-error' ? 126 : exitCodeOf(exit))
