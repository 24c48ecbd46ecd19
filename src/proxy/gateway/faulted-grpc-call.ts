import type {Hit} from '../faults/hit.ts'
import {codeOfHttp, type GrpcStatus} from '../net/grpc/status.ts'

/** How a call of gRPC ends by a fault with a status: as its clients take a callee that answers with that status of HTTP. */
export const grpcStatusOf = (hit: Hit): GrpcStatus => ({
  code: codeOfHttp(hit.plan.status),
  message: hit.plan.body || hit.name
})
