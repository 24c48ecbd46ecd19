import {authorityOf} from '../../model/address.ts'
import {messageOf} from '../../model/errors.ts'
import type {AppPlan, ReadyPlan} from '../../model/plan.ts'
import {systemClock} from '../../platform/clock.ts'
import {aborted, pause} from '../../platform/delay.ts'
import {LOOPBACK, poll, statusOf, firstAccepting, type ProbeTarget} from '../../platform/probe.ts'

export interface ReadinessOptions {
  readonly ready: ReadyPlan
  readonly target: ProbeTarget & {readonly isSecure: boolean}
  /** Whether the listener at this address is the app. Called with undefined if nothing accepts. */
  readonly isApp: (address: string | undefined) => Promise<boolean>
  /** Called once when the plan's timeout is over; probing continues. */
  readonly slow: (tried: string) => void
  /** Runs the command of the plan in the app's folder and environment: '' if it succeeded, else the failure. */
  readonly runCommand: (signal: AbortSignal) => Promise<string>
}

/** Pause between the end of one command and the start of the next. */
const COMMAND_EVERY_MS = 250

/** Detects when a process of an app is ready. */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #log: LogWatch | undefined
  /** How the last command ended. */
  #lastEnd = ''

  constructor(options: ReadinessOptions) {
    this.#options = options
    const {ready} = options
    if (ready.kind === 'log') this.#log = new LogWatch()
  }

  /** Whether it can be checked again: a port can, a log line is written only once. */
  get isProbed(): boolean {
    const {kind} = this.#options.ready
    return kind === 'tcp' || kind === 'http' || kind === 'command'
  }

  /** Receives the output of the app as latin1 text, in arbitrary pieces. */
  see(stream: string, text: string): void {
    this.#log?.see(stream, text)
  }

  /** Resolves with true when the app is ready, with false when the signal is aborted. */
  async reached(signal: AbortSignal): Promise<boolean> {
    const {ready, slow} = this.#options
    if (ready.kind === 'spawned') return true
    const callOff = systemClock.after(ready.timeoutMs, () => slow(this.#tried))
    try {
      if (ready.kind === 'command') return await this.#commandSucceeds(signal)
      if (ready.kind !== 'log' || this.#log === undefined) return await poll(async () => this.#attempt(), signal)
      void this.#log.load(ready.pattern)
      await Promise.race([this.#log.match.promise, aborted(signal)])
      return !signal.aborted
    } finally {
      callOff()
    }
  }

  /** Runs the command, once at a time. */
  async #commandSucceeds(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      this.#lastEnd = await this.#options.runCommand(signal).catch(error => `is not run: ${messageOf(error)}`)
      if (this.#lastEnd === '') return !signal.aborted
      await pause(COMMAND_EVERY_MS, signal)
    }
    return false
  }

  async #attempt(): Promise<boolean> {
    const {ready, target, isApp} = this.#options
    const host = await firstAccepting(target)
    const isThere = (await isApp(host)) && host !== undefined
    if (!isThere || ready.kind !== 'http') return isThere
    const status = await statusOf({host, port: target.port, path: ready.path, isSecure: target.isSecure})
    return status >= 200 && status < 400
  }

  get #tried(): string {
    const {ready, target} = this.#options
    if (ready.kind === 'log') return `a line that matches /${ready.pattern}/${this.#log?.fault ?? ''}`
    if (ready.kind === 'command')
      return `${ready.command.join(' ')} ${this.#lastEnd === '' ? 'has not finished yet' : this.#lastEnd}`
    const places = target.addresses.map(address => authorityOf(address, target.port))
    if (ready.kind !== 'http') return `a connection to ${places.join(' or ')}`
    return `GET ${places.map(place => `${target.isSecure ? 'https' : 'http'}://${place}${ready.path}`).join(' or ')}`
  }
}

/** Watches whether one process is ready, and reports each change. */
export class ReadyWatch {
  readonly #readiness: Readiness
  readonly #changed: (isReady: boolean) => void
  /** Aborted at the end of the latest wait. */
  #over = new AbortController()

  constructor(readiness: Readiness, changed: (isReady: boolean) => void) {
    this.#readiness = readiness
    this.#changed = changed
  }

  /** Waits until the process is ready, in place of an earlier wait. */
  begin(): void {
    this.end()
    this.#over = new AbortController()
    void this.#wait()
  }

  /** Waits again for a process that was ready: its port may be closed. */
  recheck(): void {
    if (this.#over.signal.aborted || !this.#readiness.isProbed) return
    this.#changed(false)
    void this.#wait()
  }

  /** Reports nothing until it begins again. */
  end(): void {
    this.#over.abort()
  }

  async #wait(): Promise<void> {
    const {signal} = this.#over
    if ((await this.#readiness.reached(signal)) && !signal.aborted) this.#changed(true)
  }
}

/**
 * Waits for a line that matches, decoded as UTF-8 and without colours. Uses RE2, which needs linear time; JavaScript's
 * regular expressions need exponential time for patterns such as `(a+)+$`.
 */
class LogWatch {
  readonly match = Promise.withResolvers<void>()
  #isMatched = false
  #pattern: {test(line: string): boolean} | undefined
  /** Why the pattern cannot be used; '' if it can. */
  fault = ''
  /** Lines from before RE2 was loaded. */
  #early: string[] = []
  readonly #rests = new Map<string, string>()

  see(stream: string, text: string): void {
    if (this.#isMatched || this.fault !== '') return
    const whole = `${this.#rests.get(stream) ?? ''}${text}`
    const end = whole.lastIndexOf('\n') + 1
    this.#rests.set(stream, whole.slice(Math.max(end, whole.length - LONGEST)))
    this.#look(linesOf(whole.slice(0, end)))
  }

  #look(lines: readonly string[]): void {
    const pattern = this.#pattern
    if (pattern === undefined) {
      for (const line of lines) this.#early.push(line)
      return
    }
    if (!lines.some(line => pattern.test(line))) return
    this.#isMatched = true
    this.match.resolve()
    this.#rests.clear()
  }

  /** Looks for the line from now on, and in earlier output. */
  async load(pattern: string): Promise<void> {
    try {
      const {RE2JS} = await import('re2js')
      this.#pattern = RE2JS.compile(RE2JS.translateRegExp(pattern))
      this.#look(this.#early)
    } catch (error) {
      this.fault = ` (${messageOf(error)})`
    }
    this.#early = []
  }
}

const LONGEST = 64 * 1024

/** Colours and similar sequences (ECMA-48 5.4). Node's `stripVTControlCharacters` needs quadratic time. */
// oxlint-disable-next-line no-control-regex
const CONTROL_SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]/g

const linesOf = (text: string): readonly string[] =>
  Buffer.from(text, 'latin1').toString().replaceAll(CONTROL_SEQUENCE, '').split(/\r?\n/)

/** Returns the address at which an app is probed. `appPort`: its port, 0: none. */
export function probeTargetOf(
  {channel, ready, published}: AppPlan,
  appPort: number
): ProbeTarget & {readonly isSecure: boolean} {
  // at its `port` we listen ourselves
  const own = new Set([0, channel.port, published?.number ?? 0])
  const hasOwnPort = ready.kind === 'tcp' && !own.has(ready.port)
  return {
    addresses: channel.address === '' ? LOOPBACK : [channel.address],
    port: hasOwnPort ? ready.port : appPort,
    isSecure: channel.protocol === 'https' || channel.protocol === 'grpcs'
  }
}

/** Whether a server accepts connections at an app's port. */
export const isServed = async (plan: AppPlan, appPort: number): Promise<boolean> =>
  (await firstAccepting(probeTargetOf(plan, appPort))) !== undefined
