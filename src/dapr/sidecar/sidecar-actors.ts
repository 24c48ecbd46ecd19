import {messageOf} from '../../model/errors.ts'
import {isJson} from '../../model/is-json.ts'
import {askApp, mayAsk, takesQuestions} from './ask-app.ts'
import type {SidecarActorsOptions} from './actor-access.ts'
import {retryLater} from './retry-later.ts'
import type {HostedActors} from './hosted-actors.ts'

/** How long after its start calls wait for a process to report its actors over a stream, in ms (Dapr: DaprBuiltInActorNotFoundRetries). */
const STREAM_MS = 5000

/**
 * Asks each process of an app over HTTP for its configuration, once it accepts calls (Dapr: pkg/runtime, loadAppConfiguration), which
 * lists the actor types of the app. An app without actors loads no more code.
 */
export class SidecarActors {
  /** Actors of the app. Undefined until it has hosted some. */
  hosted: HostedActors | undefined
  readonly #options: SidecarActorsOptions
  readonly #stops: readonly (() => void)[]
  readonly #over = new AbortController()
  /** Process that was asked; 0: a process that is not ours. */
  #asked: number | undefined
  /** Process that can report its actors only over a stream (0: none), and until when calls wait for that, by `performance.now()`. */
  #streaming = {pid: 0, until: 0}
  #hasTold = false

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
    // a process that is not asked opens a stream when it has started
    return this.#mayBeAsked ? !this.#hasTold : !runtime.isListening && mayAsk(runtime)
  }

  /** Whether the process has reported its types, or is not asked for them. */
  get isKnown(): boolean {
    return this.#hasTold || !this.#mayBeAsked
  }

  /** How long calls still wait for its process to report its actors over a stream, in ms; 0 or less: they do not. */
  get hostWaitMs(): number {
    return this.#streaming.until - performance.now()
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
    this.hosted?.leave()
    this.hosted = undefined // it is closed once more behind the next sidecar of the app, which has its timers by the same name
    this.#options.actors.onTypes()
  }

  get #mayBeAsked(): boolean {
    const {runtime} = this.#options
    return runtime.appPort > 0 && !runtime.opening.isUnasked && takesQuestions(runtime)
  }

  #look(): void {
    const {runtime, actors} = this.#options
    const isAsked = runtime.isListening && this.#mayBeAsked
    const before = this.#asked
    // a process that is not well yet would refuse the question, and is not asked again
    const begins = isAsked && (runtime.queue.isOpen || runtime.pid === before)
    this.#asked = begins ? runtime.pid : undefined
    if (this.#asked !== before) {
      this.#hasTold = false
      this.hosted?.lost()
      if (begins) this.#ask(runtime.pid).catch(this.#notAsked)
    }
    this.hosted?.noteHealth()
    const pid = runtime.isListening && mayAsk(runtime) && !this.#mayBeAsked ? runtime.pid : 0
    if (pid !== this.#streaming.pid) this.#streaming = {pid, until: pid > 0 ? performance.now() + STREAM_MS : 0}
    actors.onTypes()
  }

  /** Code could not be loaded for the question. */
  readonly #notAsked = (error: unknown): void => {
    this.#asked = undefined
    this.#options.log('error', `the app could not be asked for its actors: ${messageOf(error)}`)
    void retryLater(() => this.#look(), this.#over.signal)
  }

  async #ask(pid: number): Promise<void> {
    const {runtime, context, log} = this.#options
    const response = await askApp({
      runtime,
      context,
      path: '/dapr/config',
      signal: this.#over.signal,
      isObsolete: () => this.#asked !== pid,
      warn: text => log('warn', text)
    })
    const isCurrent = (): boolean => this.#asked === pid && !this.#over.signal.aborted
    if (!isCurrent()) return
    // an app need not have a configuration
    const text = response?.kind === 'response' && response.status === 200 ? response.body.toString() : ''
    if (text !== '') log(isJson(text) ? 'info' : 'warn', isJson(text) ? LOADED : NO_JSON)
    if (/"entities"/i.test(text) || this.hosted !== undefined) {
      const {HostedActors: Hosted} = await import('./hosted-actors.ts')
      const all = await this.#options.actors.load()
      if (!isCurrent()) return
      ;(this.hosted ??= new Hosted(this.#options, all)).tell(text)
    }
    if (this.hosted === undefined && response?.kind === 'response') runtime.sleep.learn({actors: []})
    this.#hasTold = true
    this.#options.actors.onTypes()
  }
}

const LOADED = 'Application configuration loaded'
const NO_JSON = 'the application configuration of GET /dapr/config is not JSON'
