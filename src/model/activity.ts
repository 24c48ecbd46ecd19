/** A source of activity. A run is idle while all sources are calm and no counter grows. */
export interface ActivitySource {
  /** Describes the work under way; '': none. */
  readonly busy: () => string
  /** Returns a number that grows with each event, also with one that is over already. */
  readonly count: () => number
}

/** The messages of a topic that an app of the run reads. */
export interface TopicBacklog {
  readonly app: string
  readonly pubsubName: string
  readonly topic: string
  /** Type of the component. */
  readonly type: string
  /** Whether the broker reports waiting messages. Otherwise only messages in delivery are known. */
  readonly isSeen: boolean
  readonly read: () => Promise<Backlog>
  /** Number of messages that wait in memory; 0: few. */
  readonly manyWaiting: number
}

export interface Backlog {
  /** Messages that were not delivered, or not acknowledged. */
  readonly waiting: number
  /** Number that grows with every message that arrives or is handled. */
  readonly count: number
}
