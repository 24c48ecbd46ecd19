import type {Copy, CopyOf} from '../net/mirror.ts'
import type {Pool} from '../net/pool.ts'

/** A call that asks to be let through to a service. */
export interface Call {
  readonly caller: string
  readonly method: string
  /** The path for the service, with the query. */
  readonly path: string
  /** Connecting was refused just now: wait in the queue. */
  readonly refused: boolean
}

export interface Admitted {
  readonly ok: true
  readonly pool: Pool
  /** Where the pool leads to the sidecar of another run: before the path, and more lines. '' = nothing. */
  readonly pathPrefix: string
  readonly lines: string
  /** The call is over; `isBroken`: the service broke it off. Called exactly once. */
  leave(isBroken?: boolean): void
}

export interface Denied {
  readonly ok: false
  /** There is no such service anywhere. */
  readonly isUnknown: boolean
  /** Why, for people. */
  readonly error: string
}

/** Let through, or told why not. */
export type Admission = Admitted | Denied

/** The service is not ready: the call waits. */
export interface Held {
  readonly admitted: Promise<Admission>
  /** The caller left. */
  cancel(): void
}

/** What stands behind a name: the main version, or the one version that was named. */
export interface Service {
  readonly name: string
  /** Of the instance that answers now; '' where another run knows. */
  readonly version: string
  admit(call: Call): Admission | Held
  /** Takes a copy of a call for the shadows; undefined where there are none. */
  readonly copy: ((of: CopyOf) => Copy) | undefined
}

/** Finds who answers for `<name>` or `<name>_<version>`; one that nobody here has may be another run's. */
export type Reach = (name: string) => Service
