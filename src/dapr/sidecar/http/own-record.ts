import type {CallRecord, CallSpan, Recorded, SentRequest} from '../../../model/call.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import {CallJournal} from '../../../proxy/net/call-journal.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {traceLines, type Trace} from './trace.ts'

/** The result of a request that the sidecar has answered itself, for its record. */
type OwnEnd = Pick<CallRecord, 'status' | 'grpcStatus' | 'requestBytes' | 'responseBytes' | 'failure'>

/** Begins the journal of a request that the sidecar answers itself, over any protocol. */
export function beginOwn(
  recorded: Recorded | undefined,
  caller: string,
  request: SentRequest,
  span: CallSpan | undefined
): CallJournal {
  const {method, path} = request
  const journal = new CallJournal({caller, callee: '', method, path}, request, undefined, recorded)
  journal.spans = span && {own: span, callee: undefined}
  journal.begun()
  return journal
}

/** Ends the journal of a request that the sidecar has answered itself. */
export function endOwn(journal: CallJournal, {status, grpcStatus, requestBytes, responseBytes, failure}: OwnEnd): void {
  journal.status = status
  journal.grpcStatus = grpcStatus
  journal.requestBytes = requestBytes
  journal.responseBytes = responseBytes
  journal.failure = failure
  journal.ended()
}

interface OwnRequest {
  readonly protocol: Protocol
  readonly method: string
  readonly sent: {readonly path: string}
  readonly headers: Trace & {readonly lines: string; readonly length: number}
  readonly span: CallSpan | undefined
}

/** Begins the record of a request over HTTP that the sidecar answers itself. Returns a function that ends it with the response. */
export function recordOwn(
  recorded: Recorded | undefined,
  caller: string,
  {protocol, method, sent: {path}, headers, span}: OwnRequest
): (answer: Reply) => void {
  if (recorded === undefined) return () => undefined
  const request = {protocol, method, path, lines: headers.lines + traceLines(headers)}
  const journal = beginOwn(recorded, caller, request, span)
  return ({status, body, bytes}) =>
    endOwn(journal, {
      status,
      grpcStatus: undefined,
      requestBytes: Math.max(0, headers.length),
      responseBytes: bytes?.length ?? Buffer.byteLength(body),
      failure: status < 400 ? '' : body
    })
}
