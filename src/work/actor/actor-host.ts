import type {CallJournal} from '../../proxy/net/call-journal.ts'
import type {OnGone} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {FiringRequest} from './firing-spec.ts'

/** A call of one of its methods. */
export interface MethodCall {
  readonly kind: 'method'
  readonly method: string
  /** With its `?`; '' = none. */
  readonly query: string
  /** `name: value\r\n` each. */
  readonly lines: string
  readonly body: Buffer
}

/** A timer or a reminder is due. Texts as they were given. */
export interface Firing extends Omit<FiringRequest, 'ttl'> {
  readonly kind: 'timer' | 'reminder'
  readonly name: string
}

/** What an actor does in its turn. */
export type ActorWork = MethodCall | Firing

export type ActorAnswer =
  | {
      readonly kind: 'done'
      /** Header lines of the answer, and its body. */
      readonly lines: string
      readonly body: Buffer
      /** The actor itself reports an error. */
      readonly isError: boolean
      /** The series is not to go on. */
      readonly isCancelled: boolean
    }
  /** `status`: 0 where there is none. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string}
  | {readonly kind: 'unknown'}
  /** There was no answer; `wasSent`: the app may have got it. */
  | {readonly kind: 'lost'; readonly why: string; readonly wasSent: boolean}

/** Who calls an actor: an instance of an app. */
export interface ActorCaller {
  readonly app: string
  readonly instance: string
}

export interface ActorRequest {
  readonly type: string
  readonly id: string
  readonly work: ActorWork
  /** Undefined: a timer or a reminder. */
  readonly caller: ActorCaller | undefined
  /** '' = none. */
  readonly reentrancyId: string
  readonly onStop: OnGone
  readonly journal?: CallJournal | undefined
}

/** An instance of an app that hosts actors. */
export interface ActorHost extends ActorCaller {
  /** Whether its process takes calls now, is expected to later, or will not; with the reason. */
  readonly state: 'open' | 'held' | 'shut'
  readonly reason: string
  /** Something is under way in its process. */
  readonly isBusy: boolean
  /** So long a call waits for it, in ms. */
  readonly holdMs: number
  /** `isForced`: whatever its state. Never rejects. */
  send(request: ActorRequest, isForced: boolean): Promise<ActorAnswer>
  /** Lets an actor go; false: its app has not taken that well. Never rejects. */
  deactivate(type: string, id: string, signal: AbortSignal | undefined): Promise<boolean>
}

/** How the actors of a type are hosted (Dapr: pkg/config, ApplicationConfig). Times in ms. */
export interface TypeSettings {
  readonly idleMs: number
  readonly drainMs: number
  /** Calls under way may end when the process is replaced. */
  readonly drains: boolean
  readonly isReentrant: boolean
  readonly maxDepth: number
}
