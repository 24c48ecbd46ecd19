/*
 * The messages of configuration and locks, by their field numbers (dapr/proto/runtime/v1: configuration.proto, lock.proto;
 * dapr/proto/common/v1/common.proto).
 */

/** GetConfigurationRequest, SubscribeConfigurationRequest */
export const ASK_CONFIGURATION = {storeName: [1, 'string'], keys: [2, 'strings'], metadata: [3, 'map']} as const

const ITEM = {value: [1, 'string'], version: [2, 'string'], metadata: [3, 'map']} as const

export const CONFIGURATION = {items: [1, {mapOf: ITEM}]} as const

/** SubscribeConfigurationResponse */
export const CONFIGURATION_UPDATE = {id: [1, 'string'], items: [2, {mapOf: ITEM}]} as const

export const UNSUBSCRIBE_CONFIGURATION = {storeName: [1, 'string'], id: [2, 'string']} as const

export const UNSUBSCRIBED_CONFIGURATION = {ok: [1, 'bool'], message: [2, 'string']} as const

export const TRY_LOCK = {
  storeName: [1, 'string'],
  resourceId: [2, 'string'],
  lockOwner: [3, 'string'],
  expiryInSeconds: [4, 'int32']
} as const

export const LOCKED = {success: [1, 'bool']} as const

export const UNLOCK = {storeName: [1, 'string'], resourceId: [2, 'string'], lockOwner: [3, 'string']} as const

export const UNLOCKED = {status: [1, 'int32']} as const
