import type {CallSpan, Recorded} from '../../../model/call.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import {CallJournal} from '../../../proxy/net/call-journal.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {traceLines, type Trace} from './trace.ts'

/** The part of a record that is about the request. */
export interface OwnRequest {
  readonly protocol: Protocol
  readonly method: string
  readonly sent: {readonly path: string}
  readonly headers: Trace & {readonly lines: string; readonly length: number}
  readonly span: CallSpan | undefined
}

/** Records a response of the sidecar itself, which began to serve the request now. */
export function recordOwn(
  recorded: Recorded | undefined,
  caller: string,
  {protocol, method, sent: {path}, headers, span}: OwnRequest
): (answer: Reply) => void {
  if (recorded === undefined) return () => undefined
  const request = {protocol, method, path, lines: headers.lines + traceLines(headers)}
  const journal = new CallJournal({caller, callee: '', method, path}, request, undefined, recorded)
  journal.requestBytes = Math.max(0, headers.length)
  journal.spans = span && {own: span, callee: undefined}
  journal.begun()
  return ({status, body, bytes}) => {
    journal.status = status
    journal.responseBytes = bytes?.length ?? Buffer.byteLength(body)
    journal.failure = status < 400 ? '' : body
    journal.ended()
  }
}
