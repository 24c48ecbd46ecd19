import type {AppPlan} from './plan.ts'

/** Triggers besides calls that start a sleeping app, as its last process has reported. Missing fields are not known. */
export interface Triggers {
  /** The topics that its own code had subscribed to. */
  readonly topics?: readonly TopicTrigger[]
  /** Names of input bindings that it wanted. */
  readonly bindings?: readonly string[]
  /** Types that it hosted. */
  readonly actors?: readonly string[]
  /** The app had workers of workflows. */
  readonly hasWorkers?: boolean
}

/** A subscription from before the app slept; which of its routes an event takes is decided by the next process. */
export interface TopicTrigger {
  readonly pubsubName: string
  readonly topic: string
  readonly metadata: Readonly<Record<string, string>>
  readonly deadLetterTopic: string
  /** Left out: one event in each request. */
  readonly bulk?: {readonly maxMessages: number; readonly maxAwaitMs: number}
}

/** Whether something could start it if it had no process. */
export const canBeWoken = ({channel}: AppPlan, {actors = [], hasWorkers = false}: Triggers = {}): boolean =>
  channel.port > 0 || channel.autoPort || actors.length > 0 || hasWorkers
