import type {Call} from '../../model/call.ts'
import type {Denied} from './admission.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Callee} from './local-apps.ts'

/** The identity of a calling app; undefined if it is unknown. */
export type Identify = (appId: string) => CallerIdentity | undefined

/**
 * Whether the callee's access control refuses a call (Dapr: pkg/api/grpc, CallLocal); undefined: it does not. An app may
 * always call itself. `identify` is called only if there is access control.
 */
export const accessDenied = (
  {id, accessControl, counters}: Callee,
  call: Call,
  identify: () => CallerIdentity | undefined
): Denied | undefined =>
  accessControl === undefined || call.caller === id ? undefined : accessControl.refusal(call, identify(), counters)
