import {contentOf, headerValue, isStream, plainBody} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

/** The end of a call, for comparison with other answers to the same request. */
export interface CallAnswer {
  /** 0: there was none. */
  readonly status: number
  /** The media type without parameters, in lower case. */
  readonly type: string
  /** Decompressed, if it was kept whole. */
  readonly body: Buffer
  /** Bytes of the body as it came. */
  readonly bytes: number
  /** The body was kept whole. */
  readonly isWhole: boolean
  /** The answer may be endless: where it was cut off does not matter. */
  readonly isStream: boolean
  /** How long it took, without the time in the queue. */
  readonly ms: number
  /** Why it failed; '' = it did not. */
  readonly failure: string
}

/** A longer one stays compressed. */
const MAX_BODY = 256 * 1024

/** Copies the compared parts, since the bytes of a recorded call are overwritten later. */
export function answerOf(call: RecordedCall): CallAnswer {
  const {response, failure} = contentOf(call)
  const isWhole = response.body.length === call.responseBytes && (call.flags & FLAG.open) === 0
  return {
    status: call.status,
    type: (headerValue(response.headers, 'content-type').split(';')[0] ?? '').trim().toLowerCase(),
    body: isWhole ? plainBody(response, MAX_BODY) : response.body,
    bytes: call.responseBytes,
    isWhole,
    isStream: isStream(response),
    ms: call.totalMs - call.waitedMs,
    failure
  }
}
