import {messageOf} from '../../model/errors.ts'
import type {Reloaded} from '../../model/events.ts'
import type {Reporter} from '../../model/reporter.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {cutText, firstOf, inSeconds} from '../messages/cut.ts'
import type {Replacement} from '../reload/replacement.ts'

export interface ReloadListeners {
  readonly reloaded: (what: Reloaded) => void
  readonly reporter: Reporter
  /** Returns the end of an error text about calls that wait for each other in a cycle; '': there is no cycle. */
  readonly callCycle: (pendingCall: PendingCall) => string
}

/** Reports the reloads of one app, and numbers them. */
export class ReloadReports {
  readonly #name: string
  readonly #options: ReloadListeners
  /** Saved files since the last reported reload. */
  #files: readonly string[] = []
  #count = 0

  constructor(name: string, options: ReloadListeners) {
    this.#name = name
    this.#options = options
  }

  /** Notes saved files, relative to the folder of the app. */
  saved(files: readonly string[]): void {
    this.#files = [...new Set([...this.#files, ...files])]
  }

  /** Numbers a replacement that begins. Returns the reason for the wait of calls. */
  begin(): string {
    const files = this.#files.length === 0 ? '' : `: ${firstOf(this.#files)}`
    return `"${this.#name}" is being reloaded (reload ${++this.#count}${files})`
  }

  /** Reports that a candidate has taken over, for which no call has waited. */
  tookOver(tookMs: number): void {
    this.#count++
    this.#report({tookMs, held: 0, longestMs: 0, lost: 0})
  }

  end({at, tookMs, cut, stats: {held, longestMs, lost}}: Replacement): void {
    if (at === 'up') this.#report({tookMs, held, longestMs, lost: lost + cut})
    // without queued calls, the report of the crash is enough
    if (at === 'down' && held > 0)
      this.warn(`"${this.#name}" did not become ready after the reload; ${lost} of ${held} queued calls were rejected`)
  }

  /** Reports calls that are cancelled after their time. Returns the reason for their callers. */
  readonly cut = (left: readonly PendingCall[], ms: number): string => {
    const {reporter, callCycle} = this.#options
    const callers = new Map(left.map(pendingCall => [pendingCall.caller, pendingCall]))
    const why = [...callers.values()].map(callCycle).find(words => words !== '') ?? ''
    reporter.warn('calls-cut', cutText({id: this.#name, left, ms, after: 'the change'}) + why)
    return `reload ${this.#count} of "${this.#name}" cut this call after ${inSeconds(ms)} s`
  }

  warn(text: string): void {
    this.#options.reporter.warn('reload-failed', text)
  }

  failed(what: string, error: unknown): void {
    this.warn(`cannot ${what} "${this.#name}": ${messageOf(error)}`)
  }

  #report(what: Omit<Reloaded, 'id' | 'number' | 'files'>): void {
    this.#options.reloaded({id: this.#name, number: this.#count, files: this.#files, ...what})
    this.#files = []
  }
}
