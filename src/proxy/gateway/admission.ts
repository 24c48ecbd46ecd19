import type {Call, Recorded} from '../../model/call.ts'
import type {Pool} from '../net/pool.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Reply} from '../net/reply.ts'

/** The decision of the gateway about a call: admitted, or denied with a reason. */
export type Admission = Admitted | Denied

export interface Admitted {
  readonly ok: true
  readonly pool: Pool
  /** Pool for gRPC calls, if another run's sidecar has a separate port for gRPC. Omitted: `pool`. */
  readonly grpcPool?: Pool
  /** Additional metadata for a gRPC call to that port, which names callee and caller. */
  readonly grpcFields?: readonly (readonly [name: string, value: string])[]
  /** The callee is the sidecar's own app. */
  readonly isLocal: boolean
  /** Id of the callee's process; omitted if unknown. */
  readonly pid?: number
  /** The callee's APP_API_TOKEN, '': none. */
  readonly token: string
  /** Prefix of the path for a pool that connects to another run's sidecar: `/v1.0/invoke/<id>/method`; '': none. */
  readonly pathPrefix: string
  /** Header line that names the caller to another run's sidecar (`caller-header.ts`); '' or omitted: none. */
  readonly callerLine?: string
  /**
   * Set if the callee is an HTTPEndpoint or a URL: it gets no headers about the caller. `lines`: header lines that replace the caller's
   * headers of the same `names`. `root`: path of a call without a method.
   */
  readonly external?: {readonly lines: string; readonly names: readonly string[]; readonly root: string}
  /** Middleware through which the request passes before it is sent; undefined: none. */
  readonly pipeline?: AppPipeline | undefined
  /** The path after middleware has changed it; omitted if it is unchanged. */
  readonly path?: string
  /** Called when the call has ended, so that the callee's metrics count it, too. */
  readonly recorded?: Recorded | undefined
  /** Ends the call. Called exactly once. `isBroken`: the callee closed the connection during the call. */
  leave(isBroken?: boolean): void
}

export interface Denied {
  readonly ok: false
  readonly status: number
  /** Dapr's text for the error, followed by Pillion's reason in brackets. */
  readonly error: string
  /** Whether no app of any run has this id. */
  readonly isUnknown?: boolean
  /** Whether the callee is in another run whose sidecar refuses connections. */
  readonly isUnavailable?: boolean
  /** Set if nothing listens at the callee's address: the address, and the reason. */
  readonly down?: {readonly address: string; readonly reason: string; readonly isGrpc?: boolean}
}

export const denied = (error: string): Denied => ({ok: false, status: 500, error})

/** A call that waits for its callee or for a free slot. */
export interface Held {
  readonly admitted: Promise<Admission>
  /** Whether a timeout policy includes the wait: yes for a slot of `appMaxConcurrency`, no for an app that starts or reloads. */
  readonly isCounted?: boolean
  /** Registers a listener for changes of `isCounted`: a call can wait for a slot first, then for the app. */
  readonly onCounted?: (listener: (isCounted: boolean) => void) => void
  /** Reason for the wait; omitted if unknown. */
  readonly reason?: string | undefined
  /** Ends the wait after the caller has disconnected. */
  cancel(): void
}

/**
 * Asks for the admission of a call. `isRefused`: the callee has just refused a connection, so that the call must wait. `caller`: the
 * identity of an app of another run; omitted: the caller belongs to this run.
 */
export type Admit = (call: Call, isRefused?: boolean, caller?: CallerIdentity) => Admission | Held

export const isHeld = (admission: Admission | Held): admission is Held => 'admitted' in admission

/** A request after the middleware. */
export interface PassedRequest {
  /** The path with the query. */
  readonly path: string
  /** Changes each piece of the body in place; undefined: the body is not changed. */
  readonly onPiece: ((piece: Buffer) => void) | undefined
}

/**
 * Middleware for requests to an app or an external endpoint (Dapr: `spec.appHttpPipeline`). Returns the changed request, or a reply that
 * replaces the response. `rawHeaders`: names and values alternate.
 */
export type AppPipeline = (path: string, rawHeaders: readonly string[]) => Promise<PassedRequest | Reply>
