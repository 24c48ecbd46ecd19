import {decode, encode, type Message} from '../../../net/grpc/message-codec.ts'
import {UNKNOWN, type GrpcStatus} from '../../../net/grpc/status.ts'
import type {SetWish} from '../../blocks/state.ts'
import {
  BULK_STATE,
  DELETE_STATE,
  GET_BULK_STATE,
  GET_STATE,
  STATE_TRANSACTION,
  STATE_VALUE,
  STATES,
  STORE_ONLY,
  type STATE_ITEM
} from '../../../net/grpc/messages/state.ts'
import {bytesOf, type BlockMethod} from './block-method.ts'

// State over gRPC (Dapr: pkg/api/grpc/grpc.go).

const NOTHING = new Uint8Array(0)
const CONCURRENCY = ['', 'first-write', 'last-write']
const CONSISTENCY = ['', 'eventual', 'strong']

const wordOf = (words: readonly string[], index: number): string => words[index] ?? index.toString()

type Item = Message<typeof STATE_ITEM>

/** What a StateItem asks for. */
export const wishOf = ({key, value, etag, metadata, options}: Item): SetWish => ({
  key,
  value: bytesOf(value),
  isJson: isJson(metadata),
  etag: etag?.value ?? '',
  metadata,
  concurrency: wordOf(CONCURRENCY, options?.concurrency ?? 0),
  consistency: wordOf(CONSISTENCY, options?.consistency ?? 0)
})

const isJson = (metadata: Readonly<Record<string, string>>): boolean =>
  Object.entries(metadata).some(([name, value]) => name.toLowerCase() === 'contenttype' && value === 'application/json')

/** A value that says that it is JSON must be (Dapr's text); all others are kept as they are. */
function jsonFault(items: readonly Item[]): GrpcStatus | undefined {
  for (const {metadata, value} of items) {
    if (!isJson(metadata)) continue
    try {
      JSON.parse(bytesOf(value).toString())
    } catch {
      return {code: UNKNOWN, message: 'unexpected end of JSON input'}
    }
  }
  return undefined
}

export const getState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const {storeName, key, consistency, metadata} = decode(GET_STATE, bytes)
  const item = await state.get(storeName, key, {consistency: wordOf(CONSISTENCY, consistency), metadata}, onGone)
  return item === undefined ? NOTHING : encode(STATE_VALUE, item)
}

export const getBulkState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const {storeName, keys, parallelism, metadata} = decode(GET_BULK_STATE, bytes)
  const items = await state.bulkGet(storeName, keys, {parallelism, consistency: '', metadata}, onGone)
  return encode(BULK_STATE, {
    items: items.map(({key, item, error}) => ({
      key,
      error,
      data: item?.data ?? NOTHING,
      etag: item?.etag ?? '',
      metadata: item?.metadata ?? {}
    }))
  })
}

export const saveState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const {storeName, states} = decode(STATES, bytes)
  const fault = jsonFault(states)
  if (fault !== undefined) return fault
  await state.save(storeName, states.map(wishOf), onGone)
  return NOTHING
}

export const deleteState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const request = decode(DELETE_STATE, bytes)
  await state.delete(request.storeName, wishOf({...request, value: NOTHING}), onGone)
  return NOTHING
}

export const deleteBulkState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const {storeName, states} = decode(STATES, bytes)
  await state.bulkDelete(storeName, states.map(wishOf), onGone)
  return NOTHING
}

export const transactState: BlockMethod = async ({state}, bytes, {onGone}) => {
  const {storeName, operations, metadata} = decode(STATE_TRANSACTION, bytes)
  const fault = jsonFault(operations.flatMap(({request}) => request ?? []))
  if (fault !== undefined) return fault
  const wishes = operations.map(({operationType, request}) => ({
    operation: operationType,
    request: wishOf(request ?? EMPTY_ITEM)
  }))
  await state.transact(storeName, wishes, metadata, onGone)
  return NOTHING
}

const EMPTY_ITEM: Item = {key: '', value: NOTHING, etag: undefined, metadata: {}, options: undefined}

export const queryState: BlockMethod = async ({state}, bytes) => state.query(decode(STORE_ONLY, bytes).storeName)
