import type {Hit} from '../faults/hit.ts'
import {codeOfHttp, type GrpcStatus} from '../net/grpc/status.ts'

/** Returns gRPC's status for a fault with a status of HTTP, as clients would read such a response. */
export const grpcStatusOf = (hit: Hit): GrpcStatus => ({
  code: codeOfHttp(hit.plan.status),
  message: hit.plan.body || hit.name
})
