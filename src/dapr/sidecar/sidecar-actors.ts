import {isJson} from '../../model/is-json.ts'
import {askApp, mayAsk, takesQuestions} from './ask-app.ts'
import type {SidecarActorsOptions} from './actor-access.ts'
import type {HostedActors} from './hosted-actors.ts'

/** Time after a process started to listen during which calls wait until it reports its actors over a stream, in ms (Dapr: DaprBuiltInActorNotFoundRetries). */
const STREAM_MS = 5000

/** Whether the current process has reported its actor types. `pid` 0: a process that the run did not start. */
type Report =
  | {readonly kind: 'none'}
  | {readonly kind: 'asked'; readonly pid: number}
  | {readonly kind: 'answered'; readonly pid: number}
  /** The process is not asked: it may report its types over a stream. Calls wait for that until `until`, in ms of performance.now(). */
  | {readonly kind: 'over a stream'; readonly pid: number; readonly until: number}

const NONE: Report = {kind: 'none'}

/**
 * Asks each process of an app over HTTP for its configuration, which lists its actor types, once it accepts calls (Dapr: pkg/runtime,
 * loadAppConfiguration). The code for actors is loaded only for an app that hosts some.
 */
export class SidecarActors {
  /** The actors that the app hosts over HTTP; undefined: it has never hosted any. */
  hosted: HostedActors | undefined
  readonly #options: SidecarActorsOptions
  readonly #stops: readonly (() => void)[]
  readonly #over = new AbortController()
  #report: Report = NONE

  constructor(options: SidecarActorsOptions) {
    this.#options = options
    const {runtime} = options
    const look = (): void => this.#look()
    this.#stops = [runtime.onMove(look), runtime.queue.onOpen(look)]
    look()
  }

  /** Whether the app may host a type: its process has not reported yet, or it sleeps and its last process hosted the type. */
  mayHost(type: string): boolean {
    const {runtime} = this.#options
    const {isAsleep, triggers} = runtime.sleep
    if (isAsleep && triggers.actors !== undefined) return triggers.actors.includes(type)
    if ((runtime.queue.state === 'shut' && !runtime.isUnhealthy) || this.#over.signal.aborted) return false
    // a process that is not asked may still host any type until it listens: then it opens a stream by itself
    return this.#mayBeAsked ? this.#report.kind !== 'answered' : !runtime.isListening && mayAsk(runtime)
  }

  /** Whether the process has reported its types, or is not asked for them. */
  get isKnown(): boolean {
    return this.#report.kind === 'answered' || !this.#mayBeAsked
  }

  /** How long calls have to wait for the process to report its actors over a stream, in ms; 0 or less: they do not wait. */
  get hostWaitMs(): number {
    return this.#report.kind === 'over a stream' ? this.#report.until - performance.now() : 0
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
    this.hosted?.leave()
    this.hosted = undefined // a second `close` must not end the timers of the next sidecar, which have the same names
    this.#options.actors.onTypes()
  }

  get #mayBeAsked(): boolean {
    const {runtime} = this.#options
    return runtime.appPort > 0 && !runtime.opening.isUnasked && takesQuestions(runtime)
  }

  #look(): void {
    const before = this.#report
    const report = (this.#report = this.#next(before))
    if (report !== before) {
      if (wasAsked(before) || wasAsked(report)) this.hosted?.lost()
      if (report.kind === 'asked') void this.#ask(report)
    }
    this.hosted?.noteHealth()
    this.#options.actors.onTypes()
  }

  /** Returns the report for the current process: `before` if that is still about it. */
  #next(before: Report): Report {
    const {runtime} = this.#options
    const {pid, queue} = runtime
    if (!runtime.isListening) return NONE
    const isSame = before.kind !== 'none' && before.pid === pid
    if (this.#mayBeAsked) {
      if (isSame && wasAsked(before)) return before
      // an unhealthy process would refuse the request
      return queue.isOpen ? {kind: 'asked', pid} : NONE
    }
    if (pid === 0 || !mayAsk(runtime)) return NONE
    return isSame && !wasAsked(before) ? before : {kind: 'over a stream', pid, until: performance.now() + STREAM_MS}
  }

  async #ask(question: Extract<Report, {readonly kind: 'asked'}>): Promise<void> {
    const {runtime, context, log} = this.#options
    const response = await askApp({
      runtime,
      context,
      path: '/dapr/config',
      signal: this.#over.signal,
      isObsolete: () => this.#report !== question,
      warn: text => log('warn', text)
    })
    const isCurrent = (): boolean => this.#report === question && !this.#over.signal.aborted
    if (!isCurrent()) return
    // an app without this route hosts no actors
    const text = response?.kind === 'response' && response.status === 200 ? response.body.toString() : ''
    if (text !== '') log(isJson(text) ? 'info' : 'warn', isJson(text) ? LOADED : NO_JSON)
    if (/"entities"/i.test(text) || this.hosted !== undefined) {
      const {HostedActors: Hosted} = await import('./hosted-actors.ts')
      const all = await this.#options.actors.load()
      if (!isCurrent()) return
      ;(this.hosted ??= new Hosted(this.#options, all)).tell(text)
    }
    if (this.hosted === undefined && response?.kind === 'response') runtime.sleep.learn({actors: []})
    this.#report = {...question, kind: 'answered'}
    this.#options.actors.onTypes()
  }
}

const wasAsked = ({kind}: Report): boolean => kind === 'asked' || kind === 'answered'

const LOADED = 'Application configuration loaded'
const NO_JSON = 'the application configuration of GET /dapr/config is not JSON'
