import type {AppPlan} from './plan.ts'

/** What starts an app that is asleep, besides calls: as its last process said. What is left out is not known. */
export interface Triggers {
  /** The topics that its own code had subscribed to. */
  readonly topics?: readonly TopicTrigger[]
  /** Names of input bindings that it wanted. */
  readonly bindings?: readonly string[]
  /** Types that it hosted. */
  readonly actors?: readonly string[]
  /** It had workers of workflows. */
  readonly hasWorkers?: boolean
}

/** As the app is to be subscribed again before it can be asked; which of its routes an event takes its next process says. */
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
