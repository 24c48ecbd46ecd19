import {words} from './words.ts'

/** Maximum numbers of turns, or of activities, that the workers of an app have at a time. */
export interface ConcurrencyLimits {
  /** Maximum number of all together; Infinity: any number. */
  readonly all: number
  readonly byName: ReadonlyMap<string, number>
}

/** `spec.workflow` of a Configuration (Dapr: pkg/config, WorkflowSpec). */
export interface WorkflowSettings {
  /** Turns of workflows. */
  readonly workflows: ConcurrencyLimits
  readonly activities: ConcurrencyLimits
  /** Retention of finished workflows. */
  readonly retention: RetentionTimes
}

/** Retention times in ms by the end of a workflow. Omitted: forever. */
export type RetentionTimes = Partial<Readonly<Record<(typeof RETAINED_ENDS)[number], number>>>

/** The ends of a workflow that a retention policy names. */
export const RETAINED_ENDS = ['anyTerminal', 'completed', 'failed', 'terminated'] as const

/** Operations that Dapr's WorkflowAccessPolicy can allow; activities are only scheduled. */
export const POLICED_OPERATIONS = words('schedule terminate raise pause resume purge get rerun')
export type WorkflowOperation = (typeof POLICED_OPERATIONS)[number]

/** A request of an app to another app's workflows. */
export interface WorkflowAccess {
  readonly caller: string
  readonly kind: 'workflows' | 'activities'
  readonly operation: WorkflowOperation
  /** The name of the workflow or the activity. */
  readonly name: string
}
