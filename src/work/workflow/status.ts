import {words} from '../../model/words.ts'

/* The values of OrchestrationStatus (orchestrator_service.proto). */
export const RUNNING = 0
export const COMPLETED = 1
export const CONTINUED_AS_NEW = 2
export const FAILED = 3
export const CANCELED = 4
export const TERMINATED = 5
export const PENDING = 6
export const SUSPENDED = 7
/** Status of an instance that its workers cannot continue now: another worker may. */
export const STALLED = 8

/** Dapr's names by number. Dapr does not name `STALLED` (Dapr: pkg/runtime/wfengine/client.go). */
const NAMES = words('RUNNING COMPLETED CONTINUED_AS_NEW FAILED CANCELED TERMINATED PENDING SUSPENDED')

/** All names by their numbers, as commands, the page and the run's API use them. */
export const STATUSES: readonly string[] = [...NAMES, 'STALLED']

/** The name that commands, the page and the run's API use. */
export const spokenStatus = (status: number): string => STATUSES[status] ?? 'UNKNOWN'

/** The name that Dapr's API uses. */
export const statusName = (status: number): string => NAMES[status] ?? 'UNKNOWN'

const TERMINAL: ReadonlySet<number> = new Set([COMPLETED, FAILED, CANCELED, TERMINATED])

export const isTerminal = (status: number): boolean => TERMINAL.has(status)
