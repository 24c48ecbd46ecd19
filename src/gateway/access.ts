import {posix} from 'node:path'
import type {Call} from '../model/call.ts'
import type {Denied} from './admission.ts'
import {denial, type AccessControlInterceptor, type CallerIdentity} from './interceptors/access-control.ts'
import type {Callee} from './local-apps.ts'

/** Who an app is when it calls others; undefined: nobody knows. */
export type Identify = (appId: string) => CallerIdentity | undefined

/**
 * Whether the callee's access control refuses a call (Dapr: pkg/api/grpc, CallLocal); undefined: it does not. An app may
 * always call itself. `identify` is asked only where there is access control.
 */
export function accessDenied(
  {id, accessControl}: Callee,
  call: Call,
  identify: () => CallerIdentity | undefined
): Denied | undefined {
  if (accessControl === undefined || call.caller === id) return undefined
  return refusal(accessControl, call, identify())
}

function refusal(
  accessControl: AccessControlInterceptor,
  {path, method, isProxied = false}: Call,
  caller: CallerIdentity | undefined
): Denied | undefined {
  // gRPC knows no verb (Dapr: pkg/acl)
  const operation = {method: operationOf(path), verb: isProxied ? 'NONE' : method}
  const {isAllowed, rule} = accessControl.decide(caller, operation)
  if (isAllowed) return undefined
  return {
    ok: false,
    status: 403,
    error: `rpc error: code = PermissionDenied desc = ${denial(caller, operation)} (${rule})`
  }
}

/** The method that a path calls, as the app will read it: decoded, without the query, never above its root. */
function operationOf(path: string): string {
  const [escaped = ''] = path.split('?', 1)
  return posix.normalize(decoded(escaped)).replace(/^\//, '')
}

const decoded = (path: string): string => {
  if (!path.includes('%')) return path
  const bytes = path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16))
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
