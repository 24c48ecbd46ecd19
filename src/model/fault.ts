/** Effect of a fault on a call, after its delay. */
export type FaultKind =
  /** The call continues. */
  | 'none'
  /** The sidecar responds to the call itself. */
  | 'status'
  /** The connection of the caller is reset. */
  | 'abort'
  /** The call gets no response until the caller disconnects. */
  | 'never'
  /** The response breaks off. */
  | 'cut'
  /** The process of the callee is killed while the call is inside. */
  | 'kill'

/** Describes which calls fail on purpose, and how. */
export interface FaultPlan {
  /** App id of the caller, or `any`. */
  readonly from: string
  /** App id, name of an HTTPEndpoint, or URL; `any`: every one. */
  readonly to: string
  /** Type of actors: only their calls, timers and reminders; '': every call. */
  readonly actor: string
  /** Method; '': any. */
  readonly method: string
  /** Path, in which `*` matches anything; '': any. */
  readonly path: string
  readonly delayMs: number
  /** Maximum random change of the delay. */
  readonly jitterMs: number
  readonly kind: FaultKind
  /** Status of an injected response. */
  readonly status: number
  readonly body: string
  /** The number of bytes of the response's body that pass before it breaks off. */
  readonly cutAfter: number
  /** Share of the calls to hit: up to 1. */
  readonly rate: number
  readonly seed: number
  /** How many calls are hit; Infinity: no limit. */
  readonly times: number
  /** How long the rule is active; Infinity: until the run ends. */
  readonly forMs: number
}

/** The name that means every app. */
export const ANY = 'any'

/** A rule with its counts. */
export interface FaultView {
  readonly number: number
  readonly plan: FaultPlan
  /** Numbers of calls that match, and of calls that it hit. */
  readonly matched: number
  readonly hits: number
  /** The time in ms after which it ends by itself; Infinity: it does not. */
  readonly leftMs: number
  /** Whether the rule matches calls. */
  readonly isEnabled: boolean
}

/** A change of a rule, with a text for the terminal. `off`: the rule was removed. `disabled`: it can be enabled again. */
export interface FaultChange {
  readonly change: 'on' | 'off' | 'hit' | 'disabled' | 'enabled'
  readonly fault: FaultView
  readonly text: string
}
