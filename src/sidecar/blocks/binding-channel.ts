import type {BindingEvent} from '../../components/binding.ts'
import type {AttemptControl} from '../../gateway/interceptors/resiliency/attempt.ts'
import type {SetWish} from './state.ts'

/** An input binding as an app knows it. */
export interface BindingTarget {
  readonly name: string
  /** Of its `route`, else its name. */
  readonly route: string
}

/** What an app's answer to an event asks for (components-contrib: bindings/responses.go). */
export interface BindingWishes {
  readonly storeName: string
  /** Saved in that store. */
  readonly state: readonly SetWish[]
  /** Bindings that get `data`. */
  readonly to: readonly string[]
  readonly data: Buffer
  readonly isParallel: boolean
}

/**
 * What the app has answered. `interrupted`: its process ended before it answered; if it was not `sent`, the process never got
 * the event.
 */
export type BindingAnswer =
  | {readonly kind: 'success'; readonly wishes: BindingWishes | undefined}
  /** `status`: that of a failing response, which `matching` of a retry policy decides about; 0: there is none. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string}
  | {readonly kind: 'interrupted'; readonly isSent: boolean; readonly text: string}

/** How events of bindings reach the app: over HTTP or gRPC. */
export interface BindingChannel {
  /** Resolves when the app takes events, or the signal is aborted. */
  ready(signal: AbortSignal): Promise<void> | undefined
  /** Asks the process that is ready, until the signal is aborted. Those of the bindings whose events the app wants. One that it cannot be asked about is logged, and is not wanted. */
  wanted(targets: readonly BindingTarget[], signal: AbortSignal): Promise<readonly BindingTarget[]>
  /** Delivers one event. Never rejects. `attempt`: of a policy that may end it. */
  deliver(target: BindingTarget, event: BindingEvent, attempt?: AttemptControl): Promise<BindingAnswer>
}
