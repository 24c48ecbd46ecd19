import type {Hit} from '../faults/faults.ts'
import {codeOfHttp, type GrpcStatus} from '../net/grpc/status.ts'
import {nameOf} from './faulted-call.ts'

/** How a call of gRPC ends by a fault with a status: as its clients take a callee that answers with that status of HTTP. */
export const grpcStatusOf = ({number, plan: {status, body}}: Hit): GrpcStatus => ({
  code: codeOfHttp(status),
  message: body === '' ? nameOf(number) : body
})
