import type {Call} from '../model/call.ts'
import type {Admission, Held} from '../gateway/admission.ts'
import type {CallerIdentity} from '../gateway/caller-identity.ts'
import type {Copy, CopyOf} from '../net/mirror.ts'

/** The service behind a name: its main version, or the named version. */
export interface Service {
  readonly name: string
  /** Version of the instance that serves calls; '' if another run has the service. */
  readonly version: string
  /** `caller`: who calls, if it is an app of another run. */
  admit(call: Call, isRefused: boolean, caller: CallerIdentity | undefined): Admission | Held
  /** Mirrors a call to the shadows; undefined if there are none. */
  readonly copy: ((of: CopyOf) => Copy) | undefined
}

/** Finds the service for `<name>` or `<name>_<version>`; an unknown one may belong to another run. */
export type FindService = (name: string) => Service
