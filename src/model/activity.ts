/** Something that keeps a run busy: while all sources say nothing and count nothing, the run is idle. */
export interface ActivitySource {
  /** What is under way now, for people; '' = nothing. */
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
  /** What waits at the broker is seen; else only what is being delivered. */
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
