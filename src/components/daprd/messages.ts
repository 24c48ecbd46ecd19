/*
 * The messages of Dapr's API that components call, by their field numbers (dapr/proto/runtime/v1/dapr.proto;
 * dapr/proto/common/v1/common.proto).
 */

const ETAG = {value: [1, 'string']} as const
const OPTIONS = {concurrency: [1, 'int32'], consistency: [2, 'int32']} as const

const STATE_ITEM = {
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
export const SAVE_STATE = {storeName: [1, 'string'], states: [2, {list: STATE_ITEM}]} as const

export const DELETE_STATE = {
  storeName: [1, 'string'],
  key: [2, 'string'],
  etag: [3, {message: ETAG}],
  options: [4, {message: OPTIONS}],
  metadata: [5, 'map']
} as const

export const TRANSACTION = {
  storeName: [1, 'string'],
  operations: [2, {list: {operationType: [1, 'string'], request: [2, {message: STATE_ITEM}]}}]
} as const

export const PUBLISH = {
  pubsubName: [1, 'string'],
  topic: [2, 'string'],
  data: [3, 'bytes'],
  contentType: [4, 'string'],
  metadata: [5, 'map']
} as const

export const INVOKE_BINDING = {
  name: [1, 'string'],
  data: [2, 'bytes'],
  metadata: [3, 'map'],
  operation: [4, 'string']
} as const

export const BINDING_RESPONSE = {data: [1, 'bytes'], metadata: [2, 'map']} as const

export const GET_SECRET = {storeName: [1, 'string'], key: [2, 'string']} as const
export const SECRET = {data: [1, 'map']} as const
export const SECRETS = {data: [1, {mapOf: {secrets: [1, 'map']}}]} as const

export const GET_CONFIGURATION = {storeName: [1, 'string'], keys: [2, 'strings'], metadata: [3, 'map']} as const

const CONFIGURATION_ITEM = {value: [1, 'string'], version: [2, 'string'], metadata: [3, 'map']} as const

export const CONFIGURATION = {items: [1, {mapOf: CONFIGURATION_ITEM}]} as const

export const TRY_LOCK = {
  storeName: [1, 'string'],
  resourceId: [2, 'string'],
  lockOwner: [3, 'string'],
  expiryInSeconds: [4, 'int32']
} as const

export const LOCKED = {success: [1, 'bool']} as const
export const UNLOCK = {storeName: [1, 'string'], resourceId: [2, 'string'], lockOwner: [3, 'string']} as const
export const UNLOCKED = {status: [1, 'int32']} as const
