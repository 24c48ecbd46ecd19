import {contentOf, headerValue} from './call-content.ts'
import {FLAG} from './call-lines.ts'
import type {RecordedCall} from './call-recorder.ts'

/** Why a call cannot be sent again; '' = it can. `hasSidecar`: its caller has one in this run. */
export function whyNotAgain(call: RecordedCall, hasSidecar: boolean): string {
  const {isKept, request} = contentOf(call)
  if ((call.flags & FLAG.grpc) !== 0) return 'it is a call of gRPC'
  if (!isKept || request.head === '') return 'its bytes are no longer kept'
  if ((call.flags & FLAG.shadow) !== 0) return 'it is a copy for a shadow'
  if ((call.flags & FLAG.own) !== 0) return 'the sidecar itself made it'
  if (/upgrade/i.test(headerValue(request.headers, 'connection'))) return 'it opened a websocket or the like'
  if (request.body.length < call.requestBytes)
    return 'its body is kept in part only: record.body of the template sets how much is'
  return hasSidecar ? '' : `${call.edgeOf.caller || 'its caller'} has no sidecar in this run`
}
