import {systemClock} from '../../platform/clock.ts'
import {pause} from '../../platform/delay.ts'
import {statusOf} from '../../platform/probe.ts'
import type {AppPlan, HealthPlan} from '../../model/plan.ts'
import type {HealthTarget} from '../net/grpc/app-health.ts'

export interface HealthOptions {
  readonly plan: HealthPlan
  /** Checks the app at this port once. Resolves with whether it responded with success in time. */
  readonly check: (port: number) => Promise<boolean>
  /** Returns the port of the process that receives calls. */
  readonly port: () => number
  /** Called with the first result, and after each change. */
  readonly changed: (isHealthy: boolean) => void
  /** Waits for a time, or until the signal is aborted. Replaced in tests. */
  readonly wait?: typeof pause
}

/** Maximum interval of checks until a new process is healthy for the first time, in ms. */
const MAX_CANDIDATE_INTERVAL_MS = 100
const soonMs = ({intervalMs}: HealthPlan): number => Math.min(intervalMs, MAX_CANDIDATE_INTERVAL_MS)

/**
 * Checks the health of an app as Dapr's sidecar does (`pkg/apphealth`): at once when it is ready, then at intervals. A success makes it
 * healthy; failures in a row up to the threshold make it unhealthy. The first check decides alone.
 */
export class Health {
  readonly #options: Required<HealthOptions>
  #over = new AbortController()

  constructor(options: HealthOptions) {
    this.#options = {wait: pause, ...options}
  }

  /** Starts the checks. `wasHealthy`: a single failure does not make the app unhealthy. `graceMs`: time in which failures do not count. */
  begin(wasHealthy = false, graceMs = 0): void {
    this.end()
    this.#over = new AbortController()
    void this.#follow(this.#over.signal, wasHealthy, systemClock.now() + graceMs)
  }

  /** Stops the checks, since the app is no longer ready. */
  end(): void {
    this.#over.abort()
  }

  /** Waits until the process at this port is healthy. Resolves with false when the signal is aborted before. */
  async reached(port: number, signal: AbortSignal): Promise<boolean> {
    const {plan, check, wait} = this.#options
    while (!signal.aborted) {
      if (await check(port)) return !signal.aborted
      await wait(soonMs(plan), signal)
    }
    return false
  }

  async #follow(over: AbortSignal, wasHealthy: boolean, graceEnd: number): Promise<void> {
    const {plan, check, port, changed, wait} = this.#options
    let isHealthy: boolean | undefined
    let failures = 0
    while (!over.aborted) {
      const isSuccess = await check(port())
      if (over.aborted) return
      const isEarly = !isSuccess && isHealthy === undefined && systemClock.now() < graceEnd
      failures = isSuccess || isEarly ? 0 : failures + 1
      const result = isSuccess || ((isHealthy ?? wasHealthy) && failures < plan.threshold)
      if (result !== isHealthy && !isEarly) changed((isHealthy = result))
      await wait(isEarly ? soonMs(plan) : plan.intervalMs, over)
    }
  }
}

/** Called after each health check. `status`: HTTP status; 0: no response. */
export type Probed = (status: number, elapsedMs: number) => void

/** Returns the name of an app's health check for messages. */
export const nameOfCheck = ({health, channel}: AppPlan): string =>
  channel.protocol.startsWith('grpc') ? 'AppCallbackHealthCheck/HealthCheck' : `GET ${health.path}`

type Checked = Pick<HealthOptions, 'port' | 'changed'> & {readonly hosts: readonly string[]; readonly probed: Probed}

/** Creates the health check of an app; undefined: health checks are disabled, or the app has no port. */
export function healthOf({health, channel}: AppPlan, {hosts, port, changed, probed}: Checked): Health | undefined {
  if (!health.enabled || port() === 0) return undefined
  const isSecure = channel.protocol === 'https' || channel.protocol === 'grpcs'
  const isGrpc = channel.protocol.startsWith('grpc')
  const check = async (at: number): Promise<boolean> => {
    const startedAt = performance.now()
    const target = {hosts, port: at, isSecure}
    const status = isGrpc ? await askGrpc(health, target) : await askHealth(health, target)
    probed(status, performance.now() - startedAt)
    return status >= 200 && status < 300
  }
  return new Health({plan: health, port, changed, check})
}

/** Returns the health of a gRPC app as an HTTP status; 0: no response. */
async function askGrpc({timeoutMs}: HealthPlan, target: HealthTarget): Promise<number> {
  const loaded = await import('../net/grpc/app-health.ts').catch(() => undefined) // fails if the process has too many open files
  const code = (await loaded?.grpcHealth(target, timeoutMs)) ?? -1
  return code < 0 ? 0 : code === 0 ? 200 : 500
}

/** Returns the status of a GET at the first address that responds, without following redirects; 0: no response. */
async function askHealth({path, timeoutMs}: HealthPlan, {hosts, ...place}: HealthTarget): Promise<number> {
  const page = {...place, path: path.startsWith('/') ? path : `/${path}`, timeoutMs}
  for (const host of hosts) {
    const status = await statusOf({...page, host})
    if (status > 0) return status
  }
  return 0
}
