import type {Call, Recorded} from '../../model/call.ts'
import type {Pool} from '../net/pool.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Reply} from '../net/reply.ts'

/** The decision about a call: admitted, or denied with a reason. */
export type Admission = Admitted | Denied

export interface Admitted {
  readonly ok: true
  readonly pool: Pool
  /** The pool for calls of gRPC, where these have a port of their own; left out: `pool`. */
  readonly grpcPool?: Pool
  /** Additional metadata for a gRPC call there: it names the callee and the caller. */
  readonly grpcFields?: readonly (readonly [name: string, value: string])[]
  /** The callee is the sidecar's own app. */
  readonly isLocal: boolean
  /** Id of the callee's process; omitted if unknown. */
  readonly pid?: number
  /** The callee's APP_API_TOKEN, '' = none. */
  readonly token: string
  /** Precedes the path if the pool connects to another run's sidecar: `/v1.0/invoke/<id>/method`; '' = none. */
  readonly pathPrefix: string
  /** The header that names the caller at another run's sidecar (`caller-header.ts`); '' or omitted = none. */
  readonly callerLine?: string
  /**
   * Set if the callee is not an app: it gets no headers about the caller, and these headers replace the caller's. `root`: the
   * path for calls without a method.
   */
  readonly external?: {readonly lines: string; readonly names: readonly string[]; readonly root: string}
  /** The middleware in front of it; undefined: none. */
  readonly pipeline?: AppPipeline | undefined
  /** The path after middleware has changed it; omitted if it is unchanged. */
  readonly path?: string
  /** Called when the call is over: the callee's sidecar counts it, too. */
  readonly recorded?: Recorded | undefined
  /** The call has ended; `isBroken`: the callee closed the connection under it. Called exactly once. */
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
  /** The wait counts towards a timeout policy: it is for `appMaxConcurrency`, not for an app that starts or reloads. */
  readonly isCounted?: boolean
  /** Calls the listener when `isCounted` changes: a call with a slot may wait for the app next, and a waiting call may wait for a slot. */
  readonly onCounted?: (listener: (isCounted: boolean) => void) => void
  /** Reason for the wait; omitted if unknown. */
  readonly reason?: string | undefined
  /** The caller has disconnected. */
  cancel(): void
}

/** Asks the callee's queue for admission. `isRefused`: a connection was refused just now, so the call must be queued. `caller`: the calling app, if it is of another run. */
export type Admit = (call: Call, isRefused?: boolean, caller?: CallerIdentity) => Admission | Held

export const isHeld = (admission: Admission | Held): admission is Held => 'admitted' in admission

/** A request that the middleware has let pass. */
export interface PassedRequest {
  /** The path with the query. */
  readonly path: string
  /** Changes each piece of the body in place; undefined: the body stays as it is. */
  readonly onPiece: ((piece: Buffer) => void) | undefined
}

/**
 * The middleware that a sidecar's requests to its app, or to an external endpoint, pass (Dapr: `spec.appHttpPipeline`). A
 * reply takes the place of the response. Names and values of the headers alternate.
 */
export type AppPipeline = (path: string, rawHeaders: readonly string[]) => Promise<PassedRequest | Reply>
