import type {FlaggedMessage} from '../../../proxy/net/grpc/message-splitter.ts'
import {tooLargeText} from '../../../proxy/net/grpc/message-gauge.ts'
import {INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'

/** Returns node:zlib. Loads it with the first compressed message, since it takes 1.5 MB. */
export const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib')

/** Decompresses a message. Returns the status for its call, in grpc-go's words, if the message cannot be decompressed. */
export function inflated(
  {flag, bytes}: FlaggedMessage,
  {encoding, maxBytes}: {readonly encoding: string; readonly maxBytes: number}
): Buffer | GrpcStatus {
  if (flag === 0) return bytes
  if (flag !== 1 || encoding === '' || encoding === 'identity')
    return {code: INTERNAL, message: `grpc: compressed flag set with identity or empty encoding`}
  if (encoding !== 'gzip')
    return {code: UNIMPLEMENTED, message: `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`}
  try {
    return zlib().gunzipSync(bytes, maxBytes > 0 ? {maxOutputLength: maxBytes} : {})
  } catch (error) {
    const isTooLarge = error instanceof RangeError
    const message = isTooLarge
      ? tooLargeText(maxBytes + 1, maxBytes)
      : 'grpc: failed to decompress the received message'
    return {code: isTooLarge ? RESOURCE_EXHAUSTED : INTERNAL, message}
  }
}
