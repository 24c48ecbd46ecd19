import type {Call} from './api.generated.ts'
import {codeText} from './grpc-code.ts'

/** How a call ended, in the one spelling of all views: `200`, `gRPC 5 NOT_FOUND`, `no response`. */
export function callEndText({status, marks}: Pick<Call, 'status' | 'marks'>): string {
  if (marks.includes('grpc')) return `gRPC ${status} ${nameOf(status)}`
  return status === 0 ? 'no response' : status.toString()
}

/** Returns why a call failed, without the error of Go that Dapr's callers get after the cause; `calls NUMBER` and the page of the call show all. */
export const shownCause = (failure: string): string =>
  failure.replace(/(?<=.) \((?:rpc error: |dial tcp |[A-Z][a-z]+ "\w+:).*: connection refused\)$/s, '')

/** Returns the name of a code as in gRPC's documents: `NOT_FOUND`. */
const nameOf = (code: number): string =>
  code === 1
    ? 'CANCELLED'
    : codeText(code)
        .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
        .toUpperCase()
