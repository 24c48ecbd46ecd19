import type {EmitResiliency, Endpoint, ResiliencyEvent, FailureCause} from '../../../../model/resiliency-event.ts'
import {formatGoDuration} from '../../../../model/go-duration.ts'

export interface ResiliencyReporterOptions {
  readonly appId: string
  /** Writes a line to the log of the sidecar. */
  readonly log: (text: string, level: 'info' | 'warn') => void
  /** Counts each event in the metrics. */
  readonly recorded: (event: ResiliencyEvent) => void
  /** Shows decisions on the terminal, too; undefined: the user has not asked for it. */
  readonly show: ((text: string) => void) | undefined
}

/** Returns the function that reports policy decisions about the calls of one app: to the metrics, and to the log in Dapr's and in Pillion's words. */
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

/** Returns caller and callee: `shop → stock`. */
const routeOf = (appId: string, {target, callee = target, component}: Endpoint): string =>
  component?.direction === 'inbound' ? `${target} → ${appId}` : `${appId} → ${callee}`

/** A line of the sidecar's log. Its scope in Dapr is `dapr.runtime.resiliency`. */
interface PolicyLine {
  readonly level: 'info' | 'warning'
  readonly message: string
}

function operationName({target, key, component}: Endpoint): string {
  if (component !== undefined) return `component[${target}] ${component.direction === 'inbound' ? 'input' : 'output'}`
  return target === '' ? key : `endpoint[${target}, ${key}]`
}

/** Returns Dapr's log line of an event (pkg/resiliency/policy.go, breaker/circuitbreaker.go); undefined: Dapr logs nothing. */
export function daprLogLine(event: ResiliencyEvent): PolicyLine | undefined {
  switch (event.type) {
    case 'retrying': {
      if (event.retry > 1) return undefined // Dapr only logs the first failure of a call
      const operation = operationName(event.endpoint)
      return {
        level: 'warning',
        message: `Error processing operation ${operation}. Retrying in ${formatGoDuration(event.delayMs)}…`
      }
    }
    case 'recovered': {
      const attempts = event.attempts.toString()
      return {
        level: 'info',
        message: `Recovered processing operation ${operationName(event.endpoint)} after ${attempts} attempts`
      }
    }
    case 'breaker-changed': {
      const name = JSON.stringify(event.endpoint.key)
      return {level: 'info', message: `Circuit breaker ${name} changed state from ${event.from} to ${event.to}`}
    }
    case 'applied':
    case 'not-retried':
    case 'timed-out':
    case 'refused':
      return undefined
  }
}

/** Returns the text of an event; '': not shown. All but the text of a breaker follow `<caller> → <callee>: `. */
export function describeEvent(event: ResiliencyEvent): string {
  switch (event.type) {
    case 'retrying': {
      const limit = event.maxRetries < 0 ? '' : ` of ${event.maxRetries}`
      return `${causeText(event.cause)}, retry ${event.retry}${limit} in ${shortDuration(event.delayMs)}`
    }
    case 'recovered':
      return `succeeded at attempt ${event.attempts}`
    case 'not-retried':
      return `not retried: ${event.reason}`
    case 'timed-out':
      return `no response within ${shortDuration(event.timeoutMs)}`
    case 'refused':
      return `not called: ${event.reason}`
    case 'breaker-changed': {
      const until = event.to === 'open' ? ` for ${shortDuration(event.openForMs)}` : ''
      return `circuit breaker ${event.endpoint.key}: ${event.to}${until}`
    }
    case 'applied':
      return ''
  }
}

const causeText = (cause: FailureCause): string =>
  typeof cause === 'number' ? cause.toString() : cause === 'timeout' ? 'timeout' : 'no response'

/** Formats a duration: `400 ms`, `45 s`. */
const shortDuration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`)
