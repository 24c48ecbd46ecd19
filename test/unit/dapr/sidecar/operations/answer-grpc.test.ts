import t from 'tap'
import {BlockError} from '../../../../../src/dapr/sidecar/blocks/block-error.ts'
import {statusOfFault} from '../../../../../src/dapr/sidecar/operations/answer-grpc.ts'
import {decode} from '../../../../../src/proxy/net/grpc/message-codec.ts'
import {ERROR_INFO, STATUS} from '../../../../../src/proxy/net/grpc/error-info.ts'

/** The reason that programs get with the status of a failed call; undefined: it has no details. */
const reasonOf = (errorCode: string): string | undefined => {
  const {details} = statusOfFault(new BlockError([500, 'internal', errorCode], 'it failed'))
  if (details === undefined) return undefined
  const [detail] = decode(STATUS, Buffer.from(details, 'latin1')).details
  return decode(ERROR_INFO, detail?.value ?? Buffer.alloc(0)).reason
}

t.test('failures whose code Dapr tells programs over gRPC have it in an ErrorInfo', async t => {
  for (const code of `ERR_STATE_GET ERR_STATE_SAVE ERR_STATE_DELETE ERR_STATE_BULK_DELETE ERR_STATE_TRANSACTION
    ERR_NOT_SUPPORTED_STATE_OPERATION ERR_INVOKE_OUTPUT_BINDING ERR_CONFIGURATION_STORE_NOT_CONFIGURED
    ERR_CONFIGURATION_STORE_NOT_FOUND ERR_CONFIGURATION_GET ERR_CONFIGURATION_SUBSCRIBE`.split(/\s+/))
    t.equal(reasonOf(code), code)
})

t.test('others have none', async t => {
  for (const code of [
    'ERR_STATE_BULK_GET',
    'ERR_SECRET_GET',
    'ERR_LOCK_STORE_NOT_FOUND',
    'ERR_CONFIGURATION_UNSUBSCRIBE'
  ])
    t.equal(reasonOf(code), undefined, code)
})
