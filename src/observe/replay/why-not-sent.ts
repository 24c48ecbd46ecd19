import {contentOf, headerValue} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

/** Whether a call is an event or data of a binding that a sidecar sent to its app over HTTP. */
export const isDelivery = ({flags, edgeOf: {caller, callee}}: RecordedCall): boolean =>
  (flags & FLAG.own) !== 0 && (flags & FLAG.grpc) === 0 && caller !== callee

/** Explains why a call cannot be sent again, and an alternative; empty if it can. `hasPlace`: whether a sidecar or a port can receive it. */
export function whyNotSent(call: RecordedCall, hasPlace: boolean): string {
  const {flags, edgeOf} = call
  const isOwn = (flags & FLAG.own) !== 0
  if ((flags & FLAG.grpc) !== 0)
    return isOwn && edgeOf.caller !== edgeOf.callee
      ? 'it is an event over gRPC, and only requests of HTTP are sent again: publish it once more'
      : 'it is a call of gRPC, and only requests of HTTP are sent again: its client can make it once more'
  if ((flags & FLAG.shadow) !== 0) return 'it is a copy for a shadow: the original call can be sent again'
  const isDelivered = isDelivery(call)
  if (isOwn && !isDelivered) return 'the sidecar made it itself, and will do so again when its app is restarted'
  const isPlaced = hasPlace || isDelivered
  if (!isPlaced && edgeOf.caller === 'external')
    return 'it came from outside to the manager of services, and not through the sidecar of an app: its client can make it once more'
  const {isKept, request} = contentOf(call)
  if (!isKept || request.head === '') return 'its bytes are no longer kept'
  if (call.method === 'TCP') return 'it was a connection of another protocol than HTTP'
  const isUpgrade = /upgrade/i.test(headerValue(request.headers, 'connection'))
  // HTTP clients of Java offer HTTP/2 with the first request of a connection, which is a plain call
  if (isUpgrade && (call.status === 101 || headerValue(request.headers, 'upgrade').toLowerCase() !== 'h2c'))
    return 'it opened a websocket or the like'
  if (request.body.length < call.requestBytes)
    return 'its body is kept in part only: record.body of the template sets how much is'
  const announced = headerValue(request.headers, 'content-length')
  // Pillion's own response is always complete: `truncated` is about the request
  const isUnread = announced === '' && (flags & FLAG.ours) !== 0 && (flags & FLAG.truncated) !== 0
  if (request.body.length < Number(announced) || isUnread)
    return 'Pillion refused it before its body was read: --data gives one, or its client can send it again'
  if (isPlaced) return ''
  return (flags & FLAG.published) !== 0
    ? `${edgeOf.callee} has no port at which it is called any more`
    : `${edgeOf.caller || 'its caller'} has no sidecar in this run`
}
