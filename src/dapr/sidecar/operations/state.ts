import {EMPTY_BYTES} from '../../../proxy/net/grpc/message-codec.ts'
import type {STATE} from '../../../model/dapr/api/blocks.ts'
import {Empty} from '../../../model/dapr/messages/google.generated.ts'
import {
  DeleteBulkStateRequest,
  DeleteStateRequest,
  ExecuteStateTransactionRequest,
  GetBulkStateRequest,
  GetBulkStateResponse,
  GetStateRequest,
  GetStateResponse,
  QueryStateRequest,
  QueryStateResponse,
  SaveStateRequest
} from '../../../model/dapr/messages/state.generated.ts'
import {BlockError} from '../blocks/block-error.ts'
import {itemTexts, memberIn, memberText} from '../blocks/json-text.ts'
import type {StateChange} from '../blocks/state-requests.ts'
import {headerLines} from '../http/blocks/app-headers.ts'
import {EMPTY} from '../http/errors.ts'
import {
  headerOf,
  malformed,
  metadataOf,
  queryOf,
  readJson,
  textIn,
  textsIn,
  type BlockHandler
} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {grpc, grpcDone, type OperationsOf} from './operation.ts'
import {bulkItem, readItem, checkJson, consistencyOf, EMPTY_ITEM, wishOf} from './state-items.ts'

const JSON_TYPE = 'application/json'

const getState: BlockHandler = async ({state}, request) => {
  const {params, query} = request
  const [store = '', key = ''] = params
  const consistency = query === '' ? '' : (queryOf(request).get('consistency') ?? '')
  const item = await state.get(store, key, {consistency, metadata: metadataOf(query)}, request.onGone)
  if (item === undefined) return EMPTY
  const etag = item.etag === '' ? '' : `Etag: ${item.etag}\r\n`
  const lines = headerLines(item.metadata, undefined, name => `Metadata.${name}`)
  return {status: 200, type: JSON_TYPE, body: '', bytes: item.data, lines: etag + lines}
}

const saveState: BlockHandler = async ({state}, request) => {
  const {text, value} = readJson(request, '')
  if (!Array.isArray(value)) throw malformed('expected an array of items', '')
  const metadata = metadataOf(request.query)
  const changes = itemTexts(text).map((item, at) => {
    const change = readItem(item, value[at] as unknown, '')
    return request.query === '' ? change : {...change, metadata: {...change.metadata, ...metadata}}
  })
  await state.save(request.params[0] ?? '', changes, request.onGone)
  return EMPTY
}

const deleteState: BlockHandler = async ({state}, request) => {
  const {params, query} = request
  const [store = '', key = ''] = params
  const asked = queryOf(request)
  const concurrency = asked.get('concurrency') ?? ''
  const consistency = asked.get('consistency') ?? ''
  const etag = headerOf(request, 'if-match')
  await state.delete(store, {key, etag, metadata: metadataOf(query), concurrency, consistency}, request.onGone)
  return EMPTY
}

const bulkGetState: BlockHandler = async ({state}, request) => {
  const {value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const keys = memberIn(value, 'keys') ?? []
  if (!Array.isArray(keys) || !keys.every(key => typeof key === 'string')) throw malformed('"keys" must be texts')
  const parallelism = memberIn(value, 'parallelism') ?? 0
  if (typeof parallelism !== 'number' || !Number.isSafeInteger(parallelism))
    throw malformed('"parallelism" must be a whole number')
  const metadata = {...textsIn(value, 'metadata'), ...metadataOf(request.query)}
  const options = {parallelism, consistency: '', metadata}
  const items = await state.bulkGet(request.params[0] ?? '', keys, options, request.onGone)
  return {status: 200, type: JSON_TYPE, body: `[${items.map(bulkItem).join(',')}]`, lines: ''}
}

const transactState: BlockHandler = async ({state}, request) => {
  const {text, value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const operations = memberIn(value, 'operations') ?? []
  if (!Array.isArray(operations)) throw malformed('"operations" must be an array')
  const texts = operations.length === 0 ? [] : itemTexts(memberText(text, 'operations') ?? '[]')
  const asked = metadataOf(request.query)
  const metadata = {...textsIn(value, 'metadata'), ...asked}
  const changes = operations.map((operation: unknown, at): StateChange => {
    if (!isObject(operation)) throw malformed('an operation must be an object')
    const written = memberText(texts[at] ?? '{}', 'request') ?? '{}'
    const item = readItem(written, memberIn(operation, 'request') ?? {}, undefined)
    return {operation: textIn(operation, 'operation'), request: {...item, metadata: {...item.metadata, ...asked}}}
  })
  await state.transact(request.params[0] ?? '', changes, metadata, request.onGone)
  return EMPTY
}

/** Makes a handler report a missing store before a malformed body, as Dapr does. The store is looked up only after a body was malformed. */
const storeFirst =
  (handler: BlockHandler): BlockHandler =>
  async (blocks, request) => {
    try {
      return await handler(blocks, request)
    } catch (error) {
      if (error instanceof BlockError && error.errorCode === 'ERR_MALFORMED_REQUEST')
        await blocks.state.check(request.params[0] ?? '')
      throw error
    }
  }

/** State (Dapr: pkg/api/http/http.go, pkg/api/http/state.go, pkg/api/grpc/grpc.go). */
export const STATE_OPERATIONS: OperationsOf<typeof STATE> = {
  GetState: {
    http: getState,
    grpc: grpc(GetStateRequest, GetStateResponse, async ({state}, {storeName, key, consistency, metadata}, {onGone}) =>
      state.get(storeName, key, {consistency: consistencyOf(consistency), metadata}, onGone)
    )
  },
  GetBulkState: {
    http: storeFirst(bulkGetState),
    grpc: grpc(
      GetBulkStateRequest,
      GetBulkStateResponse,
      async ({state}, {storeName, keys, parallelism, metadata}, {onGone}) => {
        const items = await state.bulkGet(storeName, keys, {parallelism, consistency: '', metadata}, onGone)
        return {
          items: items.map(({key, item, error}) => ({
            key,
            error,
            data: item?.data ?? EMPTY_BYTES,
            etag: item?.etag ?? '',
            metadata: item?.metadata ?? {}
          }))
        }
      }
    )
  },
  SaveState: {
    http: storeFirst(saveState),
    grpc: grpc(SaveStateRequest, Empty, async ({state}, {storeName, states}, {onGone}) => {
      checkJson(states)
      await state.save(storeName, states.map(wishOf), onGone)
      return undefined
    })
  },
  DeleteState: {
    http: deleteState,
    grpc: grpc(DeleteStateRequest, Empty, async ({state}, {storeName, ...item}, {onGone}) => {
      await state.delete(storeName, wishOf({...item, value: EMPTY_BYTES}), onGone)
      return undefined
    })
  },
  DeleteBulkState: {
    grpc: grpcDone(DeleteBulkStateRequest, async ({state}, {storeName, states}, {onGone}) =>
      state.bulkDelete(storeName, states.map(wishOf), onGone)
    )
  },
  ExecuteStateTransaction: {
    http: storeFirst(transactState),
    grpc: grpcDone(ExecuteStateTransactionRequest, async ({state}, {storeName, operations, metadata}, {onGone}) => {
      checkJson(operations.flatMap(({request}) => request ?? []))
      const changes = operations.map(({operationType, request}) => ({
        operation: operationType,
        request: wishOf(request ?? EMPTY_ITEM)
      }))
      return state.transact(storeName, changes, metadata, onGone)
    })
  },
  QueryState: {
    http: async ({state}, {params: [store = '']}) => state.query(store),
    grpc: grpc(QueryStateRequest, QueryStateResponse, async ({state}, {storeName}) => state.query(storeName))
  }
}
