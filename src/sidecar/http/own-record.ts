import type {CallSpan, Recorded} from '../../model/call.ts'
import type {Reply} from '../../net/reply.ts'

/** What a record tells of a request. */
export interface OwnRequest {
  readonly method: string
  readonly sent: {readonly path: string}
  readonly headers: {readonly lines: string; readonly length: number}
  readonly span: CallSpan | undefined
}

/** Records a response of the sidecar itself, which began to serve the request now. */
export function recordOwn(
  recorded: Recorded | undefined,
  caller: string,
  {method, sent, headers, span}: OwnRequest
): (answer: Reply) => void {
  if (recorded === undefined) return () => undefined
  const startedAt = performance.now()
  return ({status, body, bytes}) =>
    recorded({
      call: {caller, callee: '', method, path: sent.path},
      request: {method, path: sent.path, lines: headers.lines},
      status,
      attempts: 0,
      startedAt,
      admittedAt: 0,
      connectedAt: 0,
      firstByteAt: 0,
      endedAt: performance.now(),
      requestBytes: Math.max(0, headers.length),
      responseBytes: bytes?.length ?? Buffer.byteLength(body),
      isRemote: false,
      spans: span && {own: span, callee: undefined},
      trace: '',
      failure: status < 400 ? '' : body
    })
}
