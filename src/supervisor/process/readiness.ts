import {stripVTControlCharacters} from 'node:util'
import type {AppPlan, ReadyPlan} from '../../model/plan.ts'
import {aborted} from '../../platform/delay.ts'
import {LOOPBACK, poll, statusOf, whoAccepts, type Target} from '../../platform/probe.ts'

export interface ReadinessOptions {
  readonly ready: ReadyPlan
  readonly target: Target & {readonly isSecure: boolean}
  /** Whether what accepts at this address is the app; asked with undefined when nobody accepts. */
  readonly isApp: (address: string | undefined) => Promise<boolean>
  /** Told once when the timeout of the plan is over; the probing goes on. */
  readonly slow: (tried: string) => void
}

/** How one life of an app becomes ready. */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #log: LogWatch | undefined

  constructor(options: ReadinessOptions) {
    this.#options = options
    const {ready} = options
    if (ready.kind === 'log') this.#log = new LogWatch(ready.pattern)
  }

  /** Whether it can be asked again: a line is written once, a port is looked at at any time. */
  get isProbed(): boolean {
    const {kind} = this.#options.ready
    return kind === 'tcp' || kind === 'http'
  }

  /** What the app writes, as latin1 text, in whatever pieces it comes. */
  see(stream: string, text: string): void {
    this.#log?.see(stream, text)
  }

  /** True once the app is ready, false once the signal is aborted. */
  async reached(signal: AbortSignal): Promise<boolean> {
    const {ready, slow} = this.#options
    if (ready.kind === 'spawned') return true
    const timer = setTimeout(() => slow(this.#tried), ready.timeoutMs)
    try {
      if (this.#log === undefined) return await poll(async () => this.#attempt(), signal)
      await Promise.race([this.#log.matched, aborted(signal)])
      return !signal.aborted
    } finally {
      clearTimeout(timer)
    }
  }

  /** One look whether it is there now, for what is probed by its port. */
  async #attempt(): Promise<boolean> {
    const {ready, target, isApp} = this.#options
    const host = await whoAccepts(target)
    const isThere = (await isApp(host)) && host !== undefined
    if (!isThere || ready.kind !== 'http') return isThere
    const status = await statusOf({host, port: target.port, path: ready.path, isSecure: target.isSecure})
    return status >= 200 && status < 400
  }

  get #tried(): string {
    const {ready, target} = this.#options
    if (ready.kind === 'log') return `a line that matches /${ready.pattern}/`
    const places = target.addresses.map(address => `${bracketed(address)}:${target.port.toString()}`)
    if (ready.kind !== 'http') return `a connection to ${places.join(' or ')}`
    return `GET ${places.map(place => `${target.isSecure ? 'https' : 'http'}://${place}${ready.path}`).join(' or ')}`
  }
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Waits for a line that matches: without its colours, as UTF-8. */
class LogWatch {
  readonly matched: Promise<void>
  readonly #pattern: RegExp
  readonly #rests = new Map<string, string>()
  #settle: (() => void) | undefined

  constructor(pattern: string) {
    this.#pattern = new RegExp(pattern)
    const {promise, resolve} = Promise.withResolvers<void>()
    this.matched = promise
    this.#settle = resolve
  }

  see(stream: string, text: string): void {
    if (this.#settle === undefined) return
    const whole = `${this.#rests.get(stream) ?? ''}${text}`
    const end = whole.lastIndexOf('\n') + 1
    this.#rests.set(stream, whole.slice(Math.max(end, whole.length - LONGEST)))
    if (!linesOf(whole.slice(0, end)).some(line => this.#pattern.test(line))) return
    this.#settle()
    this.#settle = undefined
    this.#rests.clear()
  }
}

const LONGEST = 64 * 1024

const linesOf = (text: string): readonly string[] =>
  stripVTControlCharacters(Buffer.from(text, 'latin1').toString()).split(/\r?\n/)

/** Where an app is probed. `appPort`: the port that it was given, 0 = none. */
export function targetOf({channel, ready}: AppPlan, appPort: number): Target & {readonly isSecure: boolean} {
  const hasOwnPort = ready.kind === 'tcp' && ready.port !== 0 && ready.port !== channel.port
  return {
    addresses: channel.address === '' ? LOOPBACK : [channel.address],
    port: hasOwnPort ? ready.port : appPort,
    isSecure: channel.protocol === 'https' || channel.protocol === 'grpcs'
  }
}
