import {FieldWalker, textCopy} from '#h2-frames'
import type {SentRequest} from '../../../model/call.ts'
import {sentTrace} from './grpc-trace.ts'
import type {RequestHead} from './request-head.ts'

/** Returns the request for the record, with only `user-agent` of its metadata, for the API log. Made once for equal heads. */
export const briefRequest = (head: RequestHead): SentRequest =>
  (head.brief ??= {
    protocol: 'gRPC',
    method: 'POST',
    path: head.path,
    lines: `user-agent: ${head.userAgent}\r\n`,
    trace: sentTrace(head)
  })

/** Returns the request for the record, with all metadata as header lines. `target`: the path of the call. Made once for equal heads. */
export function wholeRequest(head: RequestHead, target: string): SentRequest {
  if (head.whole !== undefined && head.whole.target === target) return head.whole
  const lines = head.whole?.lines ?? allLines(head)
  // one flat text, since each call writes it
  const text = textCopy(`POST ${target} HTTP/2\r\n${lines}\r\n`)
  return (head.whole = {
    protocol: 'gRPC',
    method: 'POST',
    path: head.path,
    target,
    lines,
    text,
    size: text.length,
    trace: sentTrace(head)
  })
}

const allLines = ({userAgent, appId, calleeId, metadata}: RequestHead): string => {
  let lines = `user-agent: ${userAgent}\r\n`
  if (appId !== undefined) lines += `dapr-app-id: ${appId}\r\n`
  if (calleeId !== undefined) lines += `dapr-callee-app-id: ${calleeId}\r\n`
  new FieldWalker().walk(metadata, {
    field: field => {
      const value = field.value()
      if (!field.name.endsWith('-bin') && !/[\0\r\n]/.test(value)) lines += `${field.name}: ${value}\r\n`
    }
  })
  return lines
}
