import {describeEvent, daprLogLine} from '../../proxy/gateway/interceptors/resiliency/events.ts'
import type {EmitResiliency, Endpoint, ResiliencyEvent} from '../../model/resiliency-event.ts'

export interface ResiliencyReporterOptions {
  readonly appId: string
  /** Writes to the log of the sidecar. */
  readonly log: (text: string, level: 'info' | 'warn') => void
  /** Called for each event, which is also logged. */
  readonly recorded: (event: ResiliencyEvent) => void
  /** Shows decisions on the terminal, too; undefined unless the user asked for it. */
  readonly show: ((text: string) => void) | undefined
}

/** Reports decisions of policies about the calls of one app: to the log, in Dapr's words and in ours, and to the metrics. */
export const reportResiliency =
  ({appId, log, recorded, show}: ResiliencyReporterOptions): EmitResiliency =>
  event => {
    recorded(event)
    if (event.type === 'applied') return // counted, not logged
    const line = daprLogLine(event)
    if (line !== undefined) log(line.message, line.level === 'warning' ? 'warn' : 'info')
    const decision = describeEvent(event)
    if (decision === '') return
    const text = event.type === 'breaker-changed' ? decision : `${routeOf(appId, event.endpoint)}: ${decision}`
    log(text, 'info')
    show?.(text)
  }

/** Caller and callee: `shop → stock`. */
const routeOf = (appId: string, {target, callee = target, component}: Endpoint): string =>
  component?.direction === 'inbound' ? `${target} → ${appId}` : `${appId} → ${callee}`
