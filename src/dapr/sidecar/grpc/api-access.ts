import {grpcMethod, isGrpcRule} from '../../../model/dapr/api/routes.ts'
import {withErrorInfo} from '../../../proxy/net/grpc/error-info.ts'
import {UNIMPLEMENTED} from '../../../proxy/net/grpc/status.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'

export const DAPR = '/dapr.proto.runtime.v1.Dapr/'
/** Begin of paths of the runtime. Other paths belong to the proxy, which is not restricted, and alone has the tracing of daprd's streams. */
export const RUNTIME_PATHS = '/dapr.proto.runtime.'

/** Whether the sidecar serves a method. A denial wins over a permission. */
export const isMethodServed = (access: ApiAccess | undefined, path: string): boolean => {
  if (access === undefined || !path.startsWith(RUNTIME_PATHS)) return true
  const {allowed, denied} = access
  const rule = path.startsWith(DAPR) ? (grpcMethod(path.slice(DAPR.length))?.rule ?? '') : ''
  // a rule that names no API of gRPC restricts nothing (Dapr: apiAccessRuleToMap)
  const isRestricted = allowed.some(isGrpcRule)
  return !denied.includes(rule) && (!isRestricted || allowed.includes(rule))
}

export const NOT_SERVED = withErrorInfo(UNIMPLEMENTED, 'Not Implemented', {
  reason: 'Not Implemented',
  metadata: {'http.code': '501', 'http.error_message': 'requested endpoint is not available'}
})
