import type {Call, Recorded} from '../../model/call.ts'
import type {Pool} from '../net/pool.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Reply} from '../net/reply.ts'

/** The decision about a call: admitted, or denied with a reason. */
export type Admission = Admitted | Denied

export interface Admitted {
  readonly ok: true
  readonly pool: Pool
  /** Pool for gRPC calls, if they have a port of their own. Omitted: `pool`. */
  readonly grpcPool?: Pool
  /** Additional metadata for a gRPC call to that port: callee and caller. */
  readonly grpcFields?: readonly (readonly [name: string, value: string])[]
  /** The callee is the sidecar's own app. */
  readonly isLocal: boolean
  /** Id of the callee's process; omitted if unknown. */
  readonly pid?: number
  /** The callee's APP_API_TOKEN, '': none. */
  readonly token: string
  /** Prefix of the path for a pool that connects to another run's sidecar: `/v1.0/invoke/<id>/method`; '': none. */
  readonly pathPrefix: string
  /** Header with the caller for another run's sidecar (`caller-header.ts`); '' or omitted = none. */
  readonly callerLine?: string
  /**
   * Set if the callee is not an app: it gets no headers about the caller, and these lines replace the caller's of the same `names`.
   * `root`: the path for calls without a method.
   */
  readonly external?: {readonly lines: string; readonly names: readonly string[]; readonly root: string}
  /** Middleware before the callee; undefined: none. */
  readonly pipeline?: AppPipeline | undefined
  /** The path after middleware has changed it; omitted if it is unchanged. */
  readonly path?: string
  /** Called when the call is over, to count it for the callee's sidecar, too. */
  readonly recorded?: Recorded | undefined
  /** Ends the call. Called exactly once. `isBroken`: the callee closed the connection during the call. */
  leave(isBroken?: boolean): void
}

export interface Denied {
  readonly ok: false
  readonly status: number
  /** The `<err>` part of Dapr's message, followed by our reason in brackets. */
  readonly error: string
  /** No app of any run has this id. */
  readonly isUnknown?: boolean
  /** The callee's sidecar, in another run, accepts no connections. */
  readonly isUnavailable?: boolean
  /** Address without a listener, and the reason. */
  readonly down?: {readonly address: string; readonly reason: string; readonly isGrpc?: boolean}
}

export const denied = (error: string): Denied => ({ok: false, status: 500, error})

/** The callee is not ready: the call is queued. */
export interface Held {
  readonly admitted: Promise<Admission>
  /** Whether the wait counts towards a timeout policy: it is for `appMaxConcurrency`, not for an app that starts or reloads. */
  readonly isCounted?: boolean
  /** Calls the listener when `isCounted` changes: a call with a slot may wait for the app next, and a waiting call may wait for a slot. */
  readonly onCounted?: (listener: (isCounted: boolean) => void) => void
  /** Reason for the wait; omitted if unknown. */
  readonly reason?: string | undefined
  /** The caller has disconnected. */
  cancel(): void
}

/** Asks the callee's queue for admission. `isRefused`: a connection was just refused, so the call must be queued. `caller`: a calling app of another run. */
export type Admit = (call: Call, isRefused?: boolean, caller?: CallerIdentity) => Admission | Held

export const isHeld = (admission: Admission | Held): admission is Held => 'admitted' in admission

/** A request that the middleware has let pass. */
export interface PassedRequest {
  /** The path with the query. */
  readonly path: string
  /** Changes each piece of the body in place; undefined: the body is not changed. */
  readonly onPiece: ((piece: Buffer) => void) | undefined
}

/**
 * Middleware that a sidecar's requests to its app, or to an external endpoint, pass (Dapr: `spec.appHttpPipeline`). A reply replaces the
 * response. Names and values of the headers alternate.
 */
export type AppPipeline = (path: string, rawHeaders: readonly string[]) => Promise<PassedRequest | Reply>
