/** Something that keeps a run busy: while all sources say nothing and count nothing, the run is idle. */
export interface ActivitySource {
  /** Describes the work under way; '' = none. */
  readonly busy: () => string
  /** Grows whenever something has happened, also if it is over already. */
  readonly count: () => number
}

/** The messages of a topic that an app of the run reads. */
export interface TopicBacklog {
  readonly app: string
  readonly pubsubName: string
  readonly topic: string
  /** Type of the component. */
  readonly type: string
  /** Whether messages that wait at the broker count, besides those in delivery. */
  readonly isSeen: boolean
  readonly read: () => Promise<Backlog>
  /** How many wait in our memory, where they are many; else 0. */
  readonly manyWaiting: number
}

export interface Backlog {
  /** Messages that were not delivered, or not acknowledged. */
  readonly waiting: number
  /** Grows with every message that comes or is handled. */
  readonly count: number
}
