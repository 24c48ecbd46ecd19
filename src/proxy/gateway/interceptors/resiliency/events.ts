import type {Endpoint, FailureCause, ResiliencyEvent} from '../../../../model/resiliency-event.ts'
import {formatGoDuration} from '../../../../model/go-duration.ts'

/** A line of the sidecar's log, scope `dapr.runtime.resiliency`. */
export interface PolicyLine {
  readonly level: 'info' | 'warning'
  readonly message: string
}

function operationName({target, key, component}: Endpoint): string {
  if (component !== undefined) return `component[${target}] ${component.direction === 'inbound' ? 'input' : 'output'}`
  return target === '' ? key : `endpoint[${target}, ${key}]`
}

/** Returns Dapr's log line of an event (pkg/resiliency/policy.go, breaker/circuitbreaker.go), if there is one. */
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

/** An event as text, after `<caller> → <callee>: ` or, for breakers, on its own; '' = not shown. */
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

/** Writes a duration: `400 ms`, `45 s`. */
const shortDuration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`)
