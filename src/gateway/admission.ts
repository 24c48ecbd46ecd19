import type {Call} from '../model/call.ts'
import type {Pool} from '../net/pool.ts'

/** Let through, or told why not. */
export type Admission = Admitted | Denied

export interface Admitted {
  readonly ok: true
  readonly pool: Pool
  /** The callee is the sidecar's own app. */
  readonly isLocal: boolean
  /** The callee's APP_API_TOKEN, '' = none. */
  readonly token: string
  /** Goes before the app's path where the pool leads to another run's sidecar: `/v1.0/invoke/<id>/method`; '' = none. */
  readonly pathPrefix: string
  /** Introduces the caller at another run's sidecar (`caller-header.ts`); '' or left out = none. */
  readonly callerLine?: string
  /**
   * The callee is no app: it learns nothing of who calls, and gets these fields in the place of the caller's. `root`: its
   * path where no method is called.
   */
  readonly external?: {readonly lines: string; readonly names: readonly string[]; readonly root: string}
  /** The call is over; `isBroken`: its callee broke it off. Called exactly once. */
  leave(isBroken?: boolean): void
}

export interface Denied {
  readonly ok: false
  readonly status: number
  /** `<err>` of Dapr's message, with our reason in brackets at its end. */
  readonly error: string
  /** Nobody anywhere is called so. */
  readonly isUnknown?: boolean
}

/** The callee is not ready: the call waits. */
export interface Held {
  readonly admitted: Promise<Admission>
  /** The time counts against a timeout policy: it waits for `appMaxConcurrency`, not for an app that starts or reloads. */
  readonly isCounted?: boolean
  /** The caller left. */
  cancel(): void
}

/** Asks the callee's queue. `isRefused`: connecting was refused just now, so the call has to wait. */
export type Admit = (call: Call, isRefused?: boolean) => Admission | Held
