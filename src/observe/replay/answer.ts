import {brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync} from 'node:zlib'
import {orElse} from '../../model/or-else.ts'
import {contentOf, headerValue, isStream} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {ownOf} from '../../model/own.ts'

/** How a call ended: what is compared with other answers to the same request. */
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

const DECOMPRESS: Readonly<Record<string, (body: Buffer, options: {maxOutputLength: number}) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  // since Node 22.15
  ...(typeof zstdDecompressSync === 'function' && {zstd: zstdDecompressSync})
}

/** Copies what is compared: the bytes of a recorded call are overwritten later. */
export function answerOf(call: RecordedCall): CallAnswer {
  const {response, failure} = contentOf(call)
  const isWhole = response.body.length === call.responseBytes && (call.flags & FLAG.open) === 0
  return {
    status: call.status,
    type: (headerValue(response.headers, 'content-type').split(';')[0] ?? '').trim().toLowerCase(),
    body: isWhole ? decompressed(response.body, headerValue(response.headers, 'content-encoding')) : response.body,
    bytes: call.responseBytes,
    isWhole,
    isStream: isStream(response),
    ms: call.totalMs - call.waitedMs,
    failure
  }
}

/** A body that is compressed in an unknown or broken way stays as it is. */
function decompressed(body: Buffer, encoding: string): Buffer {
  const decompress = ownOf(DECOMPRESS, encoding.trim().toLowerCase())
  if (decompress === undefined || body.length === 0) return body
  return orElse(() => decompress(body, {maxOutputLength: MAX_BODY}), body)
}
