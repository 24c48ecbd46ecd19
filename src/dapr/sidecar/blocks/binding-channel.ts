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

/** The app's answers whether it wants the events of a binding, by name. No entry: no answer yet; undefined: the question failed. */
export type SaidBindings = Map<string, boolean | undefined>

/** State to save and bindings to call, as the app's answer to an event asks for (components-contrib: bindings/responses.go). */
export interface BindingEffects {
  readonly storeName: string
  /** Items to save in the store. */
  readonly state: readonly StateSet[]
  /** Names of the output bindings that get `data`. */
  readonly to: readonly string[]
  readonly data: Buffer
  /** Whether all these bindings are called at once, not one after the other. */
  readonly isParallel: boolean
}

export type BindingAnswer =
  | {readonly kind: 'success'; readonly effects: BindingEffects | undefined}
  /** `status`: of the failing response, for `matching` of a retry policy; 0: no response. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string}
  | Interrupted

/** How events of bindings reach the app: over HTTP or gRPC. */
export interface BindingChannel extends Pick<DeliveryProcess, 'ready' | 'mayRead'> {
  /** Asks the app whether it wants the events of each target, until the signal is aborted. Stores each answer in `said`. Logs failed questions. */
  ask(targets: readonly BindingTarget[], said: SaidBindings, signal: AbortSignal): Promise<void>
  /** Delivers one event. Never rejects. `attempt`: the attempt of a resiliency policy, which may stop the delivery. */
  deliver(target: BindingTarget, event: BindingEvent, attempt?: AttemptControl): Promise<BindingAnswer>
}
