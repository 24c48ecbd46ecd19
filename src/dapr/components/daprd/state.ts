import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {
  CONCURRENCY,
  CONSISTENCY,
  EtagError,
  type DeleteRequest,
  type StateOptions,
  type StateStore
} from '../state-store.ts'
import {causeOf, DaprdError, type OpenedByDaprd} from './daprd-access.ts'
import {
  DeleteStateRequest,
  ExecuteStateTransactionRequest,
  GetStateRequest,
  GetStateResponse,
  SaveStateRequest
} from '../../../model/dapr/messages/state.generated.ts'

const INVALID_ARGUMENT = 3
const ABORTED = 10

/** Daprd puts the prefix in front of a key itself, by the same `keyPrefix`. */
const ownKey = (key: string): string => key.slice(key.indexOf('||') < 0 ? 0 : key.indexOf('||') + 2)

const optionsOf = ({concurrency, consistency}: StateOptions): {concurrency: number; consistency: number} => ({
  concurrency: CONCURRENCY.indexOf(concurrency),
  consistency: CONSISTENCY.indexOf(consistency)
})

const itemOf = ({key, etag, metadata, options}: DeleteRequest, value: Uint8Array) => ({
  key: ownKey(key),
  value,
  etag: etag === '' ? undefined : {value: etag},
  metadata,
  options: optionsOf(options)
})

const NOTHING = new Uint8Array(0)

/** An etag that does not fit has its code. */
function failureOf(error: unknown): Error {
  const why = causeOf(error)
  if (!(error instanceof DaprdError)) return new Error(why)
  const bare = why.replace(/^(?:possible etag mismatch\. error from state store|invalid etag value)(?:: )?/, '')
  if (error.code === ABORTED) return new EtagError('mismatch', bare)
  return error.code === INVALID_ARGUMENT && bare !== why ? new EtagError('invalid', bare) : new Error(why)
}

/** A state store of daprd. */
export function daprdStore(options: OpenedByDaprd): StateStore {
  const {access, capabilities, resource} = options
  const storeName = resource.name
  const call = async (method: string, message: Uint8Array): Promise<Uint8Array> =>
    access.call(method, message).catch((error: unknown) => {
      throw failureOf(error)
    })
  return {
    capabilities,
    get: async (key, {consistency, metadata}) => {
      const number = CONSISTENCY.findIndex(word => word === consistency)
      const request = {storeName, key: ownKey(key), consistency: Math.max(0, number), metadata}
      const {data, ...rest} = decode(GetStateResponse, await call('GetState', encode(GetStateRequest, request)))
      // a missing value and an empty one look alike; the latter has an etag
      return data.length === 0 && rest.etag === '' ? undefined : {data: Buffer.from(data), ...rest}
    },
    set: async request =>
      void (await call('SaveState', encode(SaveStateRequest, {storeName, states: [itemOf(request, request.value)]}))),
    delete: async request =>
      void (await call('DeleteState', encode(DeleteStateRequest, {storeName, ...itemOf(request, NOTHING)}))),
    transact: async given => {
      const operations = given.map(({kind, request}) => ({
        operationType: kind,
        request: itemOf(request, kind === 'upsert' ? request.value : NOTHING)
      }))
      await call('ExecuteStateTransaction', encode(ExecuteStateTransactionRequest, {storeName, operations}))
    }
  }
}
