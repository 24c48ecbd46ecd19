import {pause} from '../platform/delay.ts'
import {statusOf} from '../platform/probe.ts'
import type {AppPlan, HealthPlan} from '../model/plan.ts'

export interface HealthOptions {
  readonly plan: HealthPlan
  /** One look at the app that listens on this port: whether it answered in time, and well. */
  readonly look: (port: number) => Promise<boolean>
  /** Where the app listens that takes calls. */
  readonly port: () => number
  /** The verdict: the first one, and each that differs from the one before. */
  readonly turned: (isHealthy: boolean) => void
  /** Waits until the time is over, or the signal is aborted. */
  readonly wait?: typeof pause
}

/** A process that is to take over is looked at as often. */
const AT_MOST_EVERY_MS = 100

/**
 * The health of an app, checked as Dapr's sidecar does (`pkg/apphealth`): at once when it is ready, then every interval.
 * One good answer makes it healthy, as many bad ones in a row as the threshold says, unhealthy; at the beginning one is
 * enough.
 */
export class Health {
  readonly #options: Required<HealthOptions>
  #over = new AbortController()

  constructor(options: HealthOptions) {
    this.#options = {wait: pause, ...options}
  }

  /** The app has become ready. */
  begin(): void {
    this.end()
    this.#over = new AbortController()
    void this.#follow(this.#over.signal)
  }

  /** The app is not ready any more. */
  end(): void {
    this.#over.abort()
  }

  /** A process beside the one that takes calls is well; false: the signal was aborted. */
  async reached(port: number, signal: AbortSignal): Promise<boolean> {
    const {plan, look, wait} = this.#options
    while (!signal.aborted) {
      if (await look(port)) return !signal.aborted
      await wait(Math.min(plan.intervalMs, AT_MOST_EVERY_MS), signal)
    }
    return false
  }

  async #follow(over: AbortSignal): Promise<void> {
    const {plan, look, port, turned, wait} = this.#options
    let isHealthy: boolean | undefined
    let failures = 0
    while (!over.aborted) {
      const hasAnswered = await look(port())
      if (over.aborted) return
      failures = hasAnswered ? 0 : failures + 1
      const verdict = hasAnswered || (isHealthy === true && failures < plan.threshold)
      if (verdict !== isHealthy) turned(verdict)
      isHealthy = verdict
      await wait(plan.intervalMs, over)
    }
  }
}

/** Undefined where health is not checked: it is not asked for, nobody can be asked, or gRPC would have to be spoken. */
export function healthOf(
  {health, channel}: AppPlan,
  {hosts, port, turned}: Pick<HealthOptions, 'port' | 'turned'> & {readonly hosts: readonly string[]}
): Health | undefined {
  if (!health.enabled || port() === 0 || channel.protocol.startsWith('grpc')) return undefined
  const isSecure = channel.protocol === 'https'
  return new Health({plan: health, port, turned, look: async at => answersWell(health, {hosts, port: at, isSecure})})
}

/** Where an app is asked for its health; addresses are tried in their order. */
interface HealthTarget {
  readonly hosts: readonly string[]
  readonly port: number
  readonly isSecure: boolean
}

/** A GET without any of our headers has to be answered with 2xx; redirects are not followed. */
async function answersWell({path, timeoutMs}: HealthPlan, {hosts, ...place}: HealthTarget): Promise<boolean> {
  const page = {...place, path: path.startsWith('/') ? path : `/${path}`, timeoutMs}
  for (const host of hosts) {
    const status = await statusOf({...page, host})
    if (status > 0) return status >= 200 && status < 300
  }
  return false
}
