import type {Backlog} from '../../model/activity.ts'
import type {Component} from './component.ts'
import {isWithin, orAborted, pause} from '../../platform/delay.ts'

/** A message of a broker. */
export interface BrokerMessage {
  readonly data: Buffer
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Result of a delivery for the broker. `done`: the broker drops the message. `failed`: the same, unless the broker keeps failed messages.
 * `returned`: the app has not received the message; a broker that keeps messages delivers it again.
 */
export type Handled = 'done' | 'failed' | 'returned'

export interface SubscribeOptions {
  readonly topic: string
  /** Consumer group, of which one member receives each message. A property of the component may replace it. */
  readonly group: string
  /** Settings of this subscription for the broker. */
  readonly metadata: Readonly<Record<string, string>>
  /** Resolves when the app accepts messages. Until then they stay with the broker. */
  readonly ready: () => Promise<void>
  /** Ends the waits of messages for the app, which has accepted none for long, so that another reader of the group gets them. */
  readonly takeBack?: () => void
  /** Maximum number of messages to handle at a time; 0: as many as the component's settings say. */
  readonly atOnce: number
  /** Never rejects. */
  readonly handle: (message: BrokerMessage) => Promise<Handled>
  /** Called when many messages wait in memory; once, until the queue was empty. `bytes`: includes an overhead for each message. */
  readonly onMuchWaiting?: (count: number, bytes: number) => void
  /** Logs an error or a notice of the broker. */
  readonly log: (level: 'warn' | 'error', text: string) => void
}

export interface TopicReader {
  /** Resolves once the reader receives messages. Omitted: the broker keeps messages until then. */
  readonly begun?: Promise<void>
  /** Stops reading. Resolves when running deliveries have ended. */
  stop(): Promise<void>
  /** Counts messages that wait for this reader or were not acknowledged. Omitted: the broker does not report them. */
  backlog?(): Promise<Backlog>
  /** Number of messages that wait in memory; 0: few. Omitted: they wait at the broker. */
  readonly manyWaiting?: number
}

/** Time without an accepted message after which an app counts as away, in ms: other readers get its messages. */
export const AWAY_MS = 60_000

/** Resolves with true when the app is away; with false when reading ends. */
export async function isAway({ready}: Pick<SubscribeOptions, 'ready'>, ended: AbortSignal): Promise<boolean> {
  do await pause(AWAY_MS, ended)
  while (!ended.aborted && (await isWithin(AWAY_MS, orAborted(ended, ready()))))
  return !ended.aborted
}

/** A message broker. */
export interface PubSub extends Component {
  /** Whether the broker keeps failed messages. Omitted: they are dropped. */
  readonly keepsFailed?: boolean
  /** Whether a reader follows a change of `atOnce`, and ignores metadata. Omitted: a changed subscription is opened again. */
  readonly followsSettings?: boolean
  /** Whether a group without a reader loses waiting messages. The next reader then begins before the old one stops. */
  readonly forgetsUnread?: boolean
  /** Resolves when the broker has the message. */
  publish(topic: string, message: BrokerMessage): Promise<unknown>
  /** Reads the messages of a topic, from now on or from the group's position. */
  subscribe(options: SubscribeOptions): Promise<TopicReader>
}
