import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {EventFields} from '../../../files/resources/routing-rule.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {CallContext} from '../../../proxy/gateway/call-context.ts'
import type {Callee} from '../../../proxy/gateway/local-apps.ts'
import type {Interrupted} from './held-delivery.ts'

export interface AppEvent {
  /** The attributes and the data of the CloudEvent. */
  readonly fields: EventFields
  readonly body: Buffer
  /** The bytes of a message under `rawPayload`, which the CloudEvent wraps; omitted: the message is a CloudEvent. */
  readonly raw?: Buffer
  /** The `traceparent` of the delivery's span; omitted without a span. */
  readonly traceparent?: string | undefined
  /** The broker's metadata of the message. */
  readonly metadata: Readonly<Record<string, string>>
}

/** A subscription, and the path of the app for its events. */
export interface EventTarget {
  readonly subscription: TopicSubscription
  readonly path: string
}

/** An event of a batch, with its id in the batch's request and response. */
export interface BatchEntry {
  readonly entryId: string
  readonly event: AppEvent
}

/** The app's answer to an event (Dapr: pkg/runtime/pubsub, table of statuses). */
export type EventAnswer =
  | {readonly kind: 'success'}
  | {readonly kind: 'drop'}
  /** The app has no route for the path: `status` is 404 of HTTP, or UNIMPLEMENTED of gRPC. */
  | {readonly kind: 'unknown'; readonly status: number; readonly text: string}
  /**
   * The event may be delivered again. `status`: of the failing response, for `matching` of a retry policy; 0: no response. `word`: the
   * status in the body of a successful response: RETRY, or a word that Dapr does not know.
   */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string; readonly word?: string}
  | Interrupted

/** How events reach the app: over HTTP or gRPC. */
export interface EventChannel extends Pick<DeliveryProcess, 'ready' | 'mayRead'> {
  /** Delivers one event. Never rejects. `attempt`: the attempt of a resiliency policy, which may stop the delivery. */
  deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer>
  /** Delivers a batch. Returns an answer for each event in order, or one for all. Never rejects. */
  deliverBatch(
    target: EventTarget,
    entries: readonly BatchEntry[],
    attempt?: AttemptControl
  ): Promise<readonly EventAnswer[] | EventAnswer>
}

/** The app and the state of its process, for the channels over HTTP and gRPC. */
export interface DeliveryProcess {
  readonly app: Callee
  readonly context: CallContext
  /**
   * Waits until the app accepts events, or the signal is aborted. Returns undefined if it accepts them now. `cause`: the reason to start
   * a sleeping app. `mayGo`: returns false while this event must wait longer.
   */
  readonly ready: (signal: AbortSignal, cause: string, mayGo?: () => boolean) => Promise<void> | undefined
  /** Waits until events may be read: the app accepts them, or is asleep, so that an event starts it. */
  readonly mayRead: (signal: AbortSignal) => Promise<void> | undefined
  /** Returns the process id of the app's current process. */
  readonly pid: () => number
  readonly isReady: () => boolean
  /** Whether the process with this id is being replaced, or was replaced without a crash. */
  readonly isReplaced: (pid: number) => boolean
  readonly log: (level: LogLevel, text: string) => void
}

/** The common part of the channels for events and for bindings, of either protocol. */
export abstract class EventProcessChannel {
  readonly ready: DeliveryProcess['ready']
  readonly mayRead: DeliveryProcess['mayRead']
  protected readonly process: DeliveryProcess

  constructor(process: DeliveryProcess) {
    this.process = process
    this.ready = process.ready
    this.mayRead = process.mayRead
  }

  /**
   * Returns the outcome of a request that got no response. `before`: the id of the process that the request was sent to. If the process
   * did not receive the event, or ended before it answered, the event is interrupted. That is not a failure of the app.
   */
  protected unanswered(
    {why, wasSent}: {readonly why: string; readonly wasSent: boolean},
    before: number
  ): Extract<EventAnswer, {kind: 'interrupted' | 'failed'}> {
    const {pid, isReady, isReplaced} = this.process
    const isInterrupted = !wasSent || !isReady() || pid() !== before
    if (!isInterrupted) return {kind: 'failed', status: 0, text: why}
    return {kind: 'interrupted', isSent: wasSent, isReplaced: isReplaced(before), text: why}
  }
}
