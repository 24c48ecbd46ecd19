import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {EventFields} from '../../../files/resources/routing-rule.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {CallContext} from '../../../proxy/gateway/call-context.ts'
import type {Callee} from '../../../proxy/gateway/local-apps.ts'
import type {Interrupted} from './held-delivery.ts'

export interface AppEvent {
  readonly fields: EventFields
  /** The whole CloudEvent in JSON. */
  readonly body: Buffer
  /** Bytes of a message that is not a CloudEvent itself. */
  readonly raw?: Buffer
  /** The `traceparent` of the delivery's span; omitted without a span. */
  readonly traceparent?: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** A subscription, and the path of the app for its events. */
export interface EventTarget {
  readonly subscription: TopicSubscription
  readonly path: string
}

/** An event that shares a request with others. */
export interface BatchEntry {
  readonly entryId: string
  readonly event: AppEvent
}

/** The app's answer (Dapr: pkg/runtime/pubsub, table of statuses). */
export type EventAnswer =
  | {readonly kind: 'success'}
  | {readonly kind: 'drop'}
  /** The app has no route for this path. */
  | {readonly kind: 'unknown'; readonly status: number; readonly text: string}
  /** `status`: of a failing response, for `matching` of a retry policy; 0: no response. `word`: RETRY, or a word unknown to Dapr. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string; readonly word?: string}
  | Interrupted

/** How events reach the app: over HTTP or gRPC. */
export interface EventChannel extends Pick<DeliveryProcess, 'ready' | 'mayRead'> {
  /** Delivers one event. Never rejects. `attempt`: of a policy that may end it. */
  deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer>
  /** Delivers a batch. Returns an answer for each event in order, or one for all. Never rejects. */
  deliverBatch(
    target: EventTarget,
    entries: readonly BatchEntry[],
    attempt?: AttemptControl
  ): Promise<readonly EventAnswer[] | EventAnswer>
}

/** The app's process, for the channels over HTTP and gRPC. */
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
  /** Returns the number of the process that accepts events. */
  readonly generation: () => number
  readonly isReady: () => boolean
  /** Whether the process of this generation is being replaced, or was replaced without a crash. */
  readonly isReplaced: (generation: number) => boolean
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
   * Judges a request without an answer; `before`: the generation it was sent to. An event that its process did not receive, or could not
   * answer, is not a failure of the app.
   */
  protected unanswered(
    {why, wasSent}: {readonly why: string; readonly wasSent: boolean},
    before: number
  ): Extract<EventAnswer, {kind: 'interrupted' | 'failed'}> {
    const {generation, isReady, isReplaced} = this.process
    const isInterrupted = !wasSent || !isReady() || generation() !== before
    if (!isInterrupted) return {kind: 'failed', status: 0, text: why}
    return {kind: 'interrupted', isSent: wasSent, isReplaced: isReplaced(before), text: why}
  }
}
