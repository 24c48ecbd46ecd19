import type {Protocol} from '../../model/call-protocol.ts'
import type {CallJournal} from '../../proxy/net/call-journal.ts'
import type {OnGone} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {FiringRequest} from './firing-spec.ts'

/** The error of a call whose turn has not begun. */
export class ActorError extends Error {
  readonly refusal: 'unhosted' | 'depth' | 'full' | 'gone' | 'late'

  constructor(refusal: ActorError['refusal'], message: string) {
    super(message)
    this.name = 'ActorError'
    this.refusal = refusal
  }
}

export interface MethodCall {
  readonly kind: 'method'
  readonly protocol: Protocol
  readonly method: string
  /** The query string with its `?`; '': none. */
  readonly query: string
  /** Header lines, `name: value\r\n` each. */
  readonly lines: string
  readonly body: Buffer
}

/** A firing of a timer or reminder. Its times are texts as the caller has written them. */
export interface Firing extends Omit<FiringRequest, 'ttl'> {
  readonly kind: 'timer' | 'reminder'
  readonly name: string
}

export type ActorWork = MethodCall | Firing

/** The result of a call at its host. `unknown`: the app does not know the actor or its method. */
export type ActorAnswer =
  | {
      readonly kind: 'done'
      /** Header lines of the answer, and its body. */
      readonly lines: string
      readonly body: Buffer
      /** Whether the actor itself has reported an error. */
      readonly isError: boolean
      /** Whether the actor asks that its timer or reminder ends. */
      readonly isCancelled: boolean
    }
  /** `status`: the HTTP status; 0: none. */
  | {readonly kind: 'failed'; readonly status: number; readonly text: string}
  | {readonly kind: 'unknown'}
  /** The app has not answered. `wasSent`: it may have received the request. */
  | {readonly kind: 'lost'; readonly why: string; readonly wasSent: boolean}

/** The caller of an actor: an instance of an app. */
export interface ActorCaller {
  readonly app: string
  readonly instance: string
}

export interface ActorRequest {
  readonly type: string
  readonly id: string
  readonly work: ActorWork
  /** The calling instance; undefined: a timer or reminder fires. */
  readonly caller: ActorCaller | undefined
  /** Id that a chain of reentrant calls shares; '': none. */
  readonly reentrancyId: string
  readonly onStop: OnGone
  readonly journal?: CallJournal | undefined
}

/** An instance of an app that hosts actors. */
export interface ActorHost extends ActorCaller {
  /** `open`: its process accepts calls. `held`: it is expected to accept them later. `shut`: it will not. `reason`: why not `open`. */
  readonly state: 'open' | 'held' | 'shut'
  readonly reason: string
  /** Whether a call is under way in its process. */
  readonly isBusy: boolean
  /** How long a call waits for this host, in ms. */
  readonly holdMs: number
  /** Sends the request; `isForced`: in any state of the host. Never rejects. */
  send(request: ActorRequest, isForced: boolean): Promise<ActorAnswer>
  /** Deactivates an actor. Resolves with false if its app has not confirmed that. Never rejects. */
  deactivate(type: string, id: string, signal: AbortSignal | undefined): Promise<boolean>
}

/** How the actors of a type are hosted (Dapr: pkg/config, ApplicationConfig). Times in ms. */
export interface TypeSettings {
  readonly idleMs: number
  readonly drainMs: number
  /** Whether running calls may end when the process is replaced (`drainRebalancedActors`). */
  readonly drains: boolean
  readonly isReentrant: boolean
  readonly maxDepth: number
}
