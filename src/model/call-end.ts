import type {Call} from './api.generated.ts'
import {codeText} from './grpc-code.ts'

/** Describes how a call ended, as all views show it: `200`, `gRPC 5 NOT_FOUND`, `no response`. */
export function callEndText({status, marks}: Pick<Call, 'status' | 'marks'>): string {
  if (marks.includes('grpc')) return `gRPC ${status} ${nameOf(status)}`
  return status === 0 ? 'no response' : status.toString()
}

/** Returns the cause of a failure without Go's error text after it, which Dapr's callers get. `calls NUMBER` and the call's page show all. */
export const shownCause = (failure: string): string =>
  failure.replace(/(?<=.) \((?:rpc error: |dial tcp |[A-Z][a-z]+ "\w+:).*: connection refused\)$/s, '')

/** Returns gRPC's name of a status code: `NOT_FOUND`. */
const nameOf = (code: number): string =>
  code === 1
    ? 'CANCELLED'
    : codeText(code)
        .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
        .toUpperCase()
