import {secureDial, type Dial} from '../net/dialer.ts'
import type {GrpcInvocation} from '../../model/call.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {AppState} from '../../model/app-state.ts'
import {Pool} from '../net/pool.ts'
import {LOOPBACK} from '../../platform/probe.ts'
import {AdmissionQueue, type PendingCall} from './admission-queue.ts'
import {healthOf, nameOfCheck, type Health, type Probed} from './health-check.ts'
import {ConcurrencyLimiter} from './concurrency-limiter.ts'

export interface AppChannelOptions {
  readonly plan: AppPlan
  /** Port at which the current process receives calls; 0: none. */
  readonly appPort: number
  /** Returns extra text for the error of a call that timed out in the queue. */
  readonly explain: (pendingCall: PendingCall) => string
  /** Called after the app's health has changed and the queue was opened or shut. */
  readonly healthChanged: (isHealthy: boolean) => void
  readonly probed: Probed
  /** Called when a call has been queued. */
  readonly onWait?: (call: PendingCall) => void
  /** Called when the app has closed the connection of a call. */
  readonly onBroken?: () => void
  readonly invoked: (invocation: GrpcInvocation) => void
  /** Whether calls wait until the first process is healthy, too. True for an app that is started by a call. */
  readonly awaitsHealth?: boolean
}

/** Facts besides the app's state that decide between queueing and denying calls. */
export interface QueueConditions {
  /** Whether the app crashes too often and too early: calls are denied instead of queued. */
  readonly isCrashLooping: boolean
  /** Reason for queueing or denying calls, for error messages. */
  readonly why: string
}

/**
 * The way of all calls to one app: its admission queue, concurrency limit, health check, and the connections to its current process. The
 * app's runtime reports each state of the app by `update`, which opens, holds or shuts the queue.
 */
export class AppChannel {
  readonly queue: AdmissionQueue
  readonly limiter = new ConcurrencyLimiter(() => this.#plan.channel.maxConcurrency)
  readonly #options: AppChannelOptions
  #plan: AppPlan
  #appPort: number
  #pool: Pool
  /** Resolves with the reason when the process behind the pool has ended, for the errors of its calls; '': it was replaced. */
  #processEnd = Promise.withResolvers<string>()
  #health: Health | undefined
  /** Whether the leader of the process has exited, while the rest of its group ends. */
  #isEnding = false
  #isUnhealthy = false
  /** Whether calls wait until the next process is healthy. */
  #awaitsHealth: boolean
  #isDebugged = false
  #waitsWithoutLimit = false

  constructor(options: AppChannelOptions) {
    const {plan, appPort, explain, onWait, onBroken, awaitsHealth = false} = options
    this.#options = options
    this.#awaitsHealth = awaitsHealth
    this.#plan = plan
    this.#appPort = appPort
    this.queue = new AdmissionQueue({timeoutMs: plan.ready.timeoutMs, explain, onWait, onBroken})
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

  /** Replaces the pool, so that new calls get new connections. Calls in flight keep their connections to the old process. */
  renewPool(): void {
    this.#processEnd.resolve('')
    this.#pool.retire()
    this.#pool = this.#newPool()
  }

  /** Closes all connections, which interrupts their calls. `why`: reason for the callers; '': none. */
  cut(why = ''): void {
    this.#processEnd.resolve(why)
    this.#pool.cut()
    this.#pool = this.#newPool()
  }

  applyPlan(plan: AppPlan): void {
    this.#plan = plan
    this.waitsWithoutLimit = this.#waitsWithoutLimit
    this.#awaitsHealth ||= this.queue.state === 'open' // its process takes calls, also one without a check
    this.#health?.end()
    this.#health = this.#newHealth()
  }

  /** Queues calls until `reopen`, whatever state the current process has. */
  suspend(reason: string): void {
    this.#health?.end()
    this.#isUnhealthy = false
    this.queue.suspend(reason)
  }

  /** Ends `suspend` or `close` of the queue: calls wait for a process of the new plan at this port. */
  reopen(plan: AppPlan, appPort: number): void {
    this.#appPort = appPort
    this.#awaitsHealth = true
    this.queue.reopen()
    this.applyPlan(plan)
    this.renewPool()
  }

  /** Directs new calls to another process, which is ready and healthy. The returned function interrupts the calls to the old process with a reason. */
  switchTo(appPort: number): (why: string) => void {
    const pool = this.#pool
    const end = this.#processEnd
    this.#appPort = appPort
    this.#pool.retire()
    this.#pool = this.#newPool()
    this.#isUnhealthy = false
    this.queue.open() // the state of the old process no longer counts
    this.#health?.begin(true)
    return why => {
      end.resolve(why)
      pool.cut()
    }
  }

  /** Sets whether the process runs in the user's debugger, where its health is not checked. */
  set isDebugged(isDebugged: boolean) {
    this.#isDebugged = isDebugged
  }

  /** Sets whether calls wait without a time limit, since the user is about to start the process in a debugger. */
  set waitsWithoutLimit(waitsWithoutLimit: boolean) {
    this.#waitsWithoutLimit = waitsWithoutLimit
    this.queue.timeoutMs = waitsWithoutLimit ? Infinity : this.#plan.ready.timeoutMs
  }

  /** Waits until the process at this port is healthy. Resolves with false when the signal is aborted before. */
  async isHealthyAt(port: number, signal: AbortSignal): Promise<boolean> {
    return this.#health?.reached(port, signal) ?? true
  }

  /** Opens, holds or shuts the queue by the app's state. */
  update(state: AppState, {isCrashLooping, why}: QueueConditions): void {
    this.#health?.end() // an app that is stopping closes its port first: that says nothing of the next process
    if (state.phase === 'stopping') return this.#processEnd.resolve('') // unchanged: an app that is stopping may still respond
    this.#isUnhealthy = false
    if (state.phase === 'starting') this.renewPool() // reports the exit of the previous process
    this.#isEnding = state.phase === 'running' && state.isEnding === true
    if (state.phase === 'running' && state.ready) return this.#openWhenHealthy()
    const isDown =
      state.phase === 'exited' || (state.phase === 'backoff' && (state.until === Infinity || isCrashLooping))
    // calls that waited for a failed start get the reason; the next call tries again
    if (isDown || (state.phase === 'asleep' && state.last !== undefined)) this.queue.shut(why)
    if (!isDown) this.queue.hold(why)
    if (!['exited', 'backoff', 'asleep'].includes(state.phase)) return
    this.#processEnd.resolve(why)
    this.renewPool()
  }

  stopHealthChecks(): void {
    this.#health?.end()
  }

  #openWhenHealthy(): void {
    if (this.#health === undefined || this.#isDebugged) return this.queue.open()
    this.queue.hold(`"${this.#plan.id}" listens, but ${nameOfCheck(this.#plan)} has not succeeded yet`, true)
    this.#health.begin(false, this.#awaitsHealth ? this.#plan.ready.timeoutMs : 0)
  }

  #newHealth(): Health | undefined {
    return healthOf(this.#plan, {
      probed: this.#options.probed,
      hosts: hostsOf(this.#plan),
      port: () => this.#appPort,
      changed: isHealthy => this.#setHealth(isHealthy)
    })
  }

  #setHealth(isHealthy: boolean): void {
    this.#isUnhealthy = !isHealthy
    this.#awaitsHealth ||= isHealthy
    if (isHealthy) this.queue.open()
    else this.queue.shut(`"${this.#plan.id}" is not in a healthy state`)
    this.#options.healthChanged(isHealthy)
  }

  #newPool(): Pool {
    const plan = this.#plan
    this.#processEnd = Promise.withResolvers<string>()
    return new Pool({
      hosts: hostsOf(plan),
      port: this.#appPort,
      dial: dialOf(plan, this.#options.invoked),
      protocol: plan.channel.protocol,
      maxMessageBytes: plan.sidecar.maxBodyBytes,
      process: {ended: this.#processEnd.promise, isEnding: () => this.#isEnding}
    })
  }
}

const hostsOf = ({channel: {address}}: AppPlan): readonly string[] => (address === '' ? LOOPBACK : [address])

/**
 * Returns how HTTP calls reach an app that speaks gRPC: by Dapr's `OnInvoke`, over the gRPC connections of its pool. `maxBytes`: maximum size
 * of the app's response; 0: no limit. `onInvoke`: called after each call.
 */
export const grpcDial = (maxBytes: number, onInvoke: (invocation: GrpcInvocation) => void): Dial => ({
  protocol: 'gRPC',
  scheme: 'http',
  remote: async pool => (await import('../net/grpc/on-invoke.ts')).connectOnInvoke(pool, maxBytes, onInvoke)
})

/** Reaches apps that speak HTTP/2 without TLS. */
export const http2Dial: Dial = {
  protocol: 'HTTP/2',
  scheme: 'http',
  remote: async pool => (await import('../net/http2/http2-request.ts')).connectHttp2(pool)
}

/** Returns how to connect to an app with this protocol; undefined: plain TCP. */
function dialOf({channel: {protocol}, sidecar}: AppPlan, invoked: AppChannelOptions['invoked']): Dial | undefined {
  if (protocol.startsWith('grpc')) return grpcDial(sidecar.maxBodyBytes, invoked)
  if (protocol === 'h2c') return http2Dial
  return protocol === 'https' ? secureDial : undefined
}
