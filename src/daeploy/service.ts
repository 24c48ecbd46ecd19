import type {Call} from '../model/call.ts'
import type {Admission, Held} from '../gateway/admission.ts'
import type {Copy, CopyOf} from '../net/mirror.ts'

/** What stands behind a name: the main version, or the one version that was named. */
export interface Service {
  readonly name: string
  /** Of the instance that answers now; '' where another run knows. */
  readonly version: string
  admit(call: Call, isRefused: boolean): Admission | Held
  /** Takes a copy of a call for the shadows; undefined where there are none. */
  readonly copy: ((of: CopyOf) => Copy) | undefined
}

/** Finds who answers for `<name>` or `<name>_<version>`; one that nobody here has may be another run's. */
export type Reach = (name: string) => Service
