/** OrchestrationStatus */
export const RUNNING = 0
export const COMPLETED = 1
export const CONTINUED_AS_NEW = 2
export const FAILED = 3
export const CANCELED = 4
export const TERMINATED = 5
export const PENDING = 6
export const SUSPENDED = 7
/** It cannot go on as things are. */
export const STALLED = 8

/** Dapr's words for them; one that is stalled has none (Dapr: pkg/runtime/wfengine/client.go). */
const NAMES = [
  'RUNNING',
  'COMPLETED',
  'CONTINUED_AS_NEW',
  'FAILED',
  'CANCELED',
  'TERMINATED',
  'PENDING',
  'SUSPENDED'
] as const

/** All of them by their numbers, as commands, the page and the run's API say them. */
export const STATUSES: readonly string[] = [...NAMES, 'STALLED']

/** What commands, the page and the run's API say. */
export const spokenStatus = (status: number): string => STATUSES[status] ?? 'UNKNOWN'

/** What Dapr's API says. */
export const statusName = (status: number): string => NAMES[status] ?? 'UNKNOWN'

const TERMINAL: ReadonlySet<number> = new Set([COMPLETED, FAILED, CANCELED, TERMINATED])

/** Nothing will happen to it any more. */
export const isTerminal = (status: number): boolean => TERMINAL.has(status)
