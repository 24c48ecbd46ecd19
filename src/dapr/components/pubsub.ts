import type {Backlog} from '../../model/activity.ts'
import type {Component} from './component.ts'
import {isWithin, orAborted, pause} from '../../platform/delay.ts'

/** Message of a broker: data as bytes, metadata as texts. */
export interface BrokerMessage {
  readonly data: Buffer
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Consequence for the broker. `done` drops the message, whatever its result. `failed` does the same, unless the
 * broker keeps failed messages. `returned` messages were not handled; a broker that keeps messages delivers them again.
 */
export type Handled = 'done' | 'failed' | 'returned'

export interface SubscribeOptions {
  readonly topic: string
  /** Name of the group: each group gets every message once. The component may be set to another group. */
  readonly group: string
  /** Settings of this subscription that only the broker knows. */
  readonly metadata: Readonly<Record<string, string>>
  /** Resolves when messages can be handled. Until then they stay with the broker. */
  readonly ready: () => Promise<void>
  /** Returns the messages that wait for the app, so that another reader of the group gets them. Called when the app has accepted none for long. */
  readonly takeBack?: () => void
  /** Messages handled at once; 0: as many as the component is set to. */
  readonly atOnce: number
  /** Never rejects. */
  readonly handle: (message: BrokerMessage) => Promise<Handled>
  /** Called when many messages wait in our memory, and again once all are handled. `bytes` includes an overhead for each message. */
  readonly onMuchWaiting?: (count: number, bytes: number) => void
  /** Logs an error or a notice of the broker. */
  readonly log: (level: 'warn' | 'error', text: string) => void
}

export interface TopicReader {
  /** Settles once the reader receives messages. Omitted if the broker keeps messages until then. */
  readonly begun?: Promise<void>
  /** Stops reading. Settles when open messages are handled. */
  stop(): Promise<void>
  /** How many messages wait for this reader or were not acknowledged; omitted: the broker does not report it. */
  backlog?(): Promise<Backlog>
  /** Number of messages that wait in our memory if it is large; else 0. */
  readonly manyWaiting?: number
}

/** Time without an accepted message after which other readers get an app's messages, in ms. */
export const AWAY_MS = 60_000

/** Waits until the app has accepted no messages for a while (true), or reading ends (false). */
export async function isAway({ready}: Pick<SubscribeOptions, 'ready'>, ended: AbortSignal): Promise<boolean> {
  do await pause(AWAY_MS, ended)
  while (!ended.aborted && (await isWithin(AWAY_MS, orAborted(ended, ready()))))
  return !ended.aborted
}

/** A message broker. */
export interface PubSub extends Component {
  /** Whether the broker decides about a failed message. Omitted: it is dropped. */
  readonly keepsFailed?: boolean
  /** Whether a reader follows changed settings: it reads `atOnce` before each message, and ignores metadata. Omitted: the subscription is opened again. */
  readonly followsSettings?: boolean
  /** Whether a group without a reader loses waiting messages. The next reader then begins before the old one stops. */
  readonly forgetsUnread?: boolean
  /** Settles when the broker has the message. */
  publish(topic: string, message: BrokerMessage): Promise<unknown>
  /** Reads the messages of a topic, from now on or from the group's position. */
  subscribe(options: SubscribeOptions): Promise<TopicReader>
}
