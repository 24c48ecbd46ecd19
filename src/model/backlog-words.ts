import type {App} from './api.generated.ts'

/** Reasons that block calls, work or events of a running app, in one sentence each (docs/states.md). */

export const breakerText = (name: string, breaker: App['circuitBreakers'][number]): string =>
  `circuit breaker ${breaker.name} of "${name}" is ${breaker.state}`

export const waitingWorkText = (name: string, count: number): string =>
  count === 1
    ? `1 step of a workflow waits for a worker of "${name}"`
    : `${count} steps of workflows wait for a worker of "${name}"`

export const waitingEventsText = (name: string, count: number): string =>
  `${count} events wait in memory for "${name}" to take them`
