import {systemClock} from '../../platform/clock.ts'
import {pause} from '../../platform/delay.ts'
import {statusOf} from '../../platform/probe.ts'
import type {AppPlan, HealthPlan} from '../../model/plan.ts'
import type {HealthTarget} from '../net/grpc/app-health.ts'

export interface HealthOptions {
  readonly plan: HealthPlan
  /** Checks the app that listens on this port: whether it responded in time with success. */
  readonly check: (port: number) => Promise<boolean>
  /** The port of the process that receives calls. */
  readonly port: () => number
  /** Called with the first result, and after each change. */
  readonly changed: (isHealthy: boolean) => void
  /** Waits until the time is over, or the signal is aborted. */
  readonly wait?: typeof pause
}

/** Maximum interval of checks until a replacing process is healthy, in ms. */
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

  /**
   * Begins when the app is ready. `wasHealthy`: it was healthy before, so the first check does not decide alone. `graceMs`: during this
   * time only a success counts.
   */
  begin(wasHealthy = false, graceMs = 0): void {
    this.end()
    this.#over = new AbortController()
    void this.#follow(this.#over.signal, wasHealthy, systemClock.now() + graceMs)
  }

  /** The app is no longer ready: stops checking. */
  end(): void {
    this.#over.abort()
  }

  /** Resolves true when the process on this port is healthy, false when the signal is aborted. */
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

/** Called after each check with its status (0: no response) and its duration. */
export type Probed = (status: number, elapsedMs: number) => void

/** Returns the name of the health check in the words of the template. */
export const nameOfCheck = ({health, channel}: AppPlan): string =>
  channel.protocol.startsWith('grpc') ? 'AppCallbackHealthCheck/HealthCheck' : `GET ${health.path}`

type Checked = Pick<HealthOptions, 'port' | 'changed'> & {readonly hosts: readonly string[]; readonly probed: Probed}

/** Undefined if health is not checked: it is disabled, or the app has no port. */
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

/** The health of an app of gRPC, as a status of HTTP; 0: no response. */
async function askGrpc({timeoutMs}: HealthPlan, target: HealthTarget): Promise<number> {
  const loaded = await import('../net/grpc/app-health.ts').catch(() => undefined) // no more files can be opened
  const code = (await loaded?.grpcHealth(target, timeoutMs)) ?? -1
  return code < 0 ? 0 : code === 0 ? 200 : 500
}

/** The status of a GET without any of our headers, 0: no response; redirects are not followed. */
async function askHealth({path, timeoutMs}: HealthPlan, {hosts, ...place}: HealthTarget): Promise<number> {
  const page = {...place, path: path.startsWith('/') ? path : `/${path}`, timeoutMs}
  for (const host of hosts) {
    const status = await statusOf({...page, host})
    if (status > 0) return status
  }
  return 0
}
