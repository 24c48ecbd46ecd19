import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {stringField} from './invoke-messages.ts'
import {latin1} from './message-gauge.ts'
import type {GrpcStatus} from './status.ts'

/** What went wrong, for programs (google.rpc.ErrorInfo). */
export interface ErrorInfo {
  readonly reason: string
  readonly metadata: Readonly<Record<string, string>>
}

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo'
const DOMAIN = 'dapr.io'

/** A map<string, string>, which is a list of entries. */
export const mapField = (writer: BinaryWriter, number: number, map: Readonly<Record<string, string>>): void => {
  for (const [key, value] of Object.entries(map)) {
    writer.tag(number, WireType.LengthDelimited).fork()
    stringField(stringField(writer, 1, key), 2, value)
    writer.join()
  }
}

/** A status with an ErrorInfo of Dapr (`google.rpc.Status` in `grpc-status-details-bin`). */
export const withErrorInfo = (code: number, message: string, {reason, metadata}: ErrorInfo): GrpcStatus => {
  const info = new BinaryWriter()
  stringField(stringField(info, 1, reason), 2, DOMAIN)
  mapField(info, 3, metadata)
  const whole = new BinaryWriter().tag(1, WireType.Varint).int32(code)
  stringField(whole, 2, message).tag(3, WireType.LengthDelimited).fork()
  stringField(whole, 1, ERROR_INFO).tag(2, WireType.LengthDelimited).bytes(info.finish())
  return {code, message, details: latin1(whole.join().finish())}
}
