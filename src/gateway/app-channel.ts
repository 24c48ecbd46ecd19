import type {AppPlan} from '../model/plan.ts'
import type {AppState} from '../model/app-state.ts'
import {Pool} from '../net/pool.ts'
import {dialOf} from './app-dialer.ts'
import {AdmissionQueue, type PendingCall} from './admission-queue.ts'
import {healthOf, type Health} from './health-check.ts'
import {ConcurrencyLimiter} from './concurrency-limiter.ts'

export interface AppChannelOptions {
  readonly plan: AppPlan
  /** Where the process listens that takes calls; 0: nowhere. */
  readonly appPort: number
  /** What a call that has waited in vain hears besides. */
  readonly explain: (pendingCall: PendingCall) => string
  /** A verdict on the app's health; the queue has been turned. */
  readonly healthTurned: (isHealthy: boolean) => void
}

/** What the queue goes by beside the state of the app. */
export interface Circumstances {
  /** It ends too often and too soon: who calls is not kept waiting. */
  readonly isHopeless: boolean
  /** Why a call waits, or is refused. */
  readonly why: string
}

/** The way of calls to one app: the queue before it, how many may be with it, its health, the connections to its process. */
export class AppChannel {
  readonly queue: AdmissionQueue
  readonly limiter = new ConcurrencyLimiter(() => this.#plan.channel.maxConcurrency)
  readonly #options: AppChannelOptions
  #plan: AppPlan
  #appPort: number
  #pool: Pool
  #health: Health | undefined
  #isUnhealthy = false

  constructor(options: AppChannelOptions) {
    const {plan, appPort, explain} = options
    this.#options = options
    this.#plan = plan
    this.#appPort = appPort
    this.queue = new AdmissionQueue({timeoutMs: plan.ready.timeoutMs, explain})
    this.#pool = this.#newPool()
    this.#health = this.#newHealth()
  }

  get appPort(): number {
    return this.#appPort
  }

  get pool(): Pool {
    return this.#pool
  }

  get isUnhealthy(): boolean {
    return this.#isUnhealthy
  }

  /** Connections to the old process are let go of; new calls get new ones. */
  renewPool(): void {
    this.#pool.retire()
    this.#pool = this.#newPool()
  }

  /** Ends every connection, and the calls on it. */
  cut(): void {
    this.#pool.cut()
    this.#pool = this.#newPool()
  }

  /** The app goes by this plan from now on. */
  follow(plan: AppPlan): void {
    this.#plan = plan
    this.#health?.end()
    this.#health = this.#newHealth()
  }

  /** A process that listens elsewhere, ready and well, takes the calls from now on. Gives what ends those that the old one has. */
  switchTo(appPort: number): () => void {
    const pool = this.#pool
    this.#appPort = appPort
    this.renewPool()
    this.#isUnhealthy = false
    this.queue.open() // whatever has become of the old one meanwhile
    this.#health?.begin()
    return () => pool.cut()
  }

  /** Whether a process beside the one that takes calls is well; waits until it is, or the signal is aborted. */
  async isHealthyAt(port: number, signal: AbortSignal): Promise<boolean> {
    return this.#health?.reached(port, signal) ?? true
  }

  /** Calls get in as the app's state says. */
  turn(state: AppState, {isHopeless, why}: Circumstances): void {
    if (state.phase === 'stopping') return // as it was: an app that is asked to end may still answer
    this.#isUnhealthy = false
    this.#health?.end()
    if (state.phase === 'running' && state.ready) return this.#begin()
    const isDown = state.phase === 'exited' || (state.phase === 'backoff' && (state.until === Infinity || isHopeless))
    if (isDown) this.queue.shut(why)
    else this.queue.hold(why)
    if (state.phase === 'exited' || state.phase === 'backoff') this.renewPool()
  }

  /** Its health is asked for no more. */
  end(): void {
    this.#health?.end()
  }

  #begin(): void {
    if (this.#health === undefined) return this.queue.open()
    this.queue.hold(`"${this.#plan.id}" listens, and its health is not known yet`)
    this.#health.begin()
  }

  #newHealth(): Health | undefined {
    return healthOf(this.#plan, {
      hosts: hostsOf(this.#plan),
      port: () => this.#appPort,
      turned: isHealthy => this.#turnHealth(isHealthy)
    })
  }

  #turnHealth(isHealthy: boolean): void {
    this.#isUnhealthy = !isHealthy
    if (isHealthy) this.queue.open()
    else this.queue.shut(`"${this.#plan.id}" is not in a healthy state`)
    this.#options.healthTurned(isHealthy)
  }

  #newPool(): Pool {
    const plan = this.#plan
    return new Pool({hosts: hostsOf(plan), port: this.#appPort, dial: dialOf(plan), hint: hintOf(plan)})
  }
}

const hintOf = ({id, channel: {protocol}}: AppPlan): string =>
  protocol.startsWith('grpc')
    ? `"${id}" has appProtocol ${protocol}, and calls over HTTP to such an app are not built yet`
    : ''

const hostsOf = ({channel: {address}}: AppPlan): readonly string[] =>
  address === '' ? ['127.0.0.1', '::1'] : [address]
