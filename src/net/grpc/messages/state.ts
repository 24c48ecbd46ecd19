/*
 * The messages of state and secrets, by their field numbers (dapr/proto/runtime/v1: state.proto, secret.proto;
 * dapr/proto/common/v1/common.proto).
 */

const OPTIONS = {concurrency: [1, 'int32'], consistency: [2, 'int32']} as const
const ETAG = {value: [1, 'string']} as const

/** StateItem */
export const STATE_ITEM = {
  key: [1, 'string'],
  value: [2, 'bytes'],
  etag: [3, {message: ETAG}],
  metadata: [4, 'map'],
  options: [5, {message: OPTIONS}]
} as const

export const GET_STATE = {
  storeName: [1, 'string'],
  key: [2, 'string'],
  consistency: [3, 'int32'],
  metadata: [4, 'map']
} as const

export const STATE_VALUE = {data: [1, 'bytes'], etag: [2, 'string'], metadata: [3, 'map']} as const

export const GET_BULK_STATE = {
  storeName: [1, 'string'],
  keys: [2, 'strings'],
  parallelism: [3, 'int32'],
  metadata: [4, 'map']
} as const

export const BULK_STATE = {
  items: [
    1,
    {
      list: {
        key: [1, 'string'],
        data: [2, 'bytes'],
        etag: [3, 'string'],
        error: [4, 'string'],
        metadata: [5, 'map']
      }
    }
  ]
} as const

/** SaveStateRequest, DeleteBulkStateRequest */
export const STATES = {storeName: [1, 'string'], states: [2, {list: STATE_ITEM}]} as const

export const DELETE_STATE = {
  storeName: [1, 'string'],
  key: [2, 'string'],
  etag: [3, {message: ETAG}],
  options: [4, {message: OPTIONS}],
  metadata: [5, 'map']
} as const

export const STATE_TRANSACTION = {
  storeName: [1, 'string'],
  operations: [2, {list: {operationType: [1, 'string'], request: [2, {message: STATE_ITEM}]}}],
  metadata: [3, 'map']
} as const

/** Of requests of which only the first field matters. */
export const STORE_ONLY = {storeName: [1, 'string']} as const

export const GET_SECRET = {storeName: [1, 'string'], key: [2, 'string'], metadata: [3, 'map']} as const
export const SECRET = {data: [1, 'map']} as const
export const SECRETS = {data: [1, {mapOf: {secrets: [1, 'map']}}]} as const
