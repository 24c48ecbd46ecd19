import {authorityOf} from '../../model/address.ts'
import {messageOf} from '../../model/errors.ts'
import type {AppPlan, ReadyPlan} from '../../model/plan.ts'
import {systemClock} from '../../platform/clock.ts'
import {aborted, pause} from '../../platform/delay.ts'
import {LOOPBACK, poll, statusOf, firstAccepting, type ProbeTarget} from '../../platform/probe.ts'

export interface ReadinessOptions {
  readonly ready: ReadyPlan
  readonly target: ProbeTarget & {readonly isSecure: boolean}
  /** Resolves with whether the listener at an address is the app. `address`: undefined: nothing accepts connections. */
  readonly isApp: (address: string | undefined) => Promise<boolean>
  /** Called once when the plan's timeout is over, with a description of the probe. Probing continues. */
  readonly slow: (tried: string) => void
  /** Runs the command of the plan in the app's folder and environment. Resolves with the failure; '': it has succeeded. */
  readonly runCommand: (signal: AbortSignal) => Promise<string>
}

/** Delay between the end of one command and the start of the next, in ms. */
const COMMAND_EVERY_MS = 250

/** Detects when a process of an app is ready, as the plan's `ready` says: by a port, HTTP, a command, or a line of output. */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #log: LogWatch | undefined
  /** Failure of the last command; '': none has finished. */
  #lastEnd = ''

  constructor(options: ReadinessOptions) {
    this.#options = options
    const {ready} = options
    if (ready.kind === 'log') this.#log = new LogWatch()
  }

  /** Whether the readiness can be checked again later. A line of output cannot, since the app writes it only once. */
  get isProbed(): boolean {
    const {kind} = this.#options.ready
    return kind === 'tcp' || kind === 'http' || kind === 'command'
  }

  /** Receives the output of the app as latin1 text, in arbitrary pieces. */
  see(stream: string, text: string): void {
    this.#log?.see(stream, text)
  }

  /** Waits until the app is ready. Resolves with false when the signal is aborted before. */
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

  /** Runs the command again and again until it succeeds. */
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
  /** Aborted to end the latest wait. */
  #over = new AbortController()

  constructor(readiness: Readiness, changed: (isReady: boolean) => void) {
    this.#readiness = readiness
    this.#changed = changed
  }

  /** Starts to wait until the process is ready. Ends an earlier wait. */
  begin(): void {
    this.end()
    this.#over = new AbortController()
    void this.#wait()
  }

  /** Reports that the process is not ready, and waits until it is again: its port may be closed. */
  recheck(): void {
    if (this.#over.signal.aborted || !this.#readiness.isProbed) return
    this.#changed(false)
    void this.#wait()
  }

  /** Ends the wait. Reports nothing more until `begin`. */
  end(): void {
    this.#over.abort()
  }

  async #wait(): Promise<void> {
    const {signal} = this.#over
    if ((await this.#readiness.reached(signal)) && !signal.aborted) this.#changed(true)
  }
}

/**
 * Waits for a line of output that matches a pattern, decoded as UTF-8 and without colours. Uses RE2, whose time is linear: JavaScript's regular
 * expressions take exponential time for patterns such as `(a+)+$`.
 */
class LogWatch {
  readonly match = Promise.withResolvers<void>()
  #isMatched = false
  #pattern: {test(line: string): boolean} | undefined
  /** Why the pattern cannot be used; '': it can. */
  fault = ''
  /** Lines that arrived before RE2 was loaded. */
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

  /** Loads RE2, then searches the output so far and from now on. */
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

/** Matches colours and similar sequences (ECMA-48 5.4). Node's `stripVTControlCharacters` takes quadratic time. */
// oxlint-disable-next-line no-control-regex
const CONTROL_SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]/g

const linesOf = (text: string): readonly string[] =>
  Buffer.from(text, 'latin1').toString().replaceAll(CONTROL_SEQUENCE, '').split(/\r?\n/)

/** Returns the address at which an app is probed. `appPort`: port of the app; 0: none. */
export function probeTargetOf(
  {channel, ready, published}: AppPlan,
  appPort: number
): ProbeTarget & {readonly isSecure: boolean} {
  // a `ready` port that is the published port means the app's own: Pillion itself listens at the published one
  const own = new Set([0, channel.port, published?.number ?? 0])
  const hasOwnPort = ready.kind === 'tcp' && !own.has(ready.port)
  return {
    addresses: channel.address === '' ? LOOPBACK : [channel.address],
    port: hasOwnPort ? ready.port : appPort,
    isSecure: channel.protocol === 'https' || channel.protocol === 'grpcs'
  }
}

/** Resolves with whether a server accepts connections at an app's port. */
export const isServed = async (plan: AppPlan, appPort: number): Promise<boolean> =>
  (await firstAccepting(probeTargetOf(plan, appPort))) !== undefined
