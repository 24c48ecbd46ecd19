import type {BindingEvent} from '../../components/binding.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {DeliveryProcess} from './event-channel.ts'
import type {Interrupted} from './held-delivery.ts'
import type {StateSet} from './state-requests.ts'

/** An input binding as its app sees it. */
export interface BindingTarget {
  readonly name: string
  /** Its `route`, else its name. */
  readonly route: string
}

/** Whether the app wants the events of each binding, by name. Undefined if the app could not be asked; missing before its answer. */
export type SaidBindings = Map<string, boolean | undefined>

/** The effects that an app's answer to an event asks for (components-contrib: bindings/responses.go). */
export interface BindingEffects {
  readonly storeName: string
  /** Saved in that store. */
  readonly state: readonly StateSet[]
  /** Bindings that get `data`. */
  readonly to: readonly string[]
  readonly data: Buffer
  readonly isParallel: boolean
}

/** The app's answer. */
export type BindingAnswer =
  | {readonly kind: 'success'; readonly effects: BindingEffects | undefined}
  /** `status`: of a failing response, for `matching` of a retry policy; 0: none. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string}
  | Interrupted

/** How events of bindings reach the app: over HTTP or gRPC. */
export interface BindingChannel extends Pick<DeliveryProcess, 'ready' | 'mayRead'> {
  /** Asks the app whether it wants the events of each target, until the signal is aborted. Stores each answer in `said`. Logs failed questions. */
  ask(targets: readonly BindingTarget[], said: SaidBindings, signal: AbortSignal): Promise<void>
  /** Delivers one event. Never rejects. `attempt`: of a policy that may end it. */
  deliver(target: BindingTarget, event: BindingEvent, attempt?: AttemptControl): Promise<BindingAnswer>
}
