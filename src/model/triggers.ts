import type {AppPlan} from './plan.ts'

/** Triggers besides calls that wake a sleeping app, as its last process reported them. Omitted fields are unknown. */
export interface Triggers {
  /** The topics that its own code had subscribed to. */
  readonly topics?: readonly TopicTrigger[]
  /** Names of input bindings that it wanted. */
  readonly bindings?: readonly string[]
  /** Types that it hosted. */
  readonly actors?: readonly string[]
  /** Whether the app had workers of workflows. */
  readonly hasWorkers?: boolean
}

/** A subscription from before the app slept. The next process decides about the routes of its events. */
export interface TopicTrigger {
  readonly pubsubName: string
  readonly topic: string
  readonly metadata: Readonly<Record<string, string>>
  /** Topic for failed events; '': none. */
  readonly deadLetterTopic: string
  /** Limits of bulk delivery. Default: one event in each request. */
  readonly bulk?: {readonly maxMessages: number; readonly maxAwaitMs: number}
}

/** Whether a call or a trigger could wake the app if it slept. */
export const canBeWoken = ({channel}: AppPlan, {actors = [], hasWorkers = false}: Triggers = {}): boolean =>
  channel.port > 0 || channel.autoPort || actors.length > 0 || hasWorkers
