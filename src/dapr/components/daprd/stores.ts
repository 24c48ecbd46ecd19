import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {ConfigurationItems, ConfigurationStore} from '../configuration/types.ts'
import type {LockStore, Unlocked} from '../lock/types.ts'
import type {SecretStore} from '../secrets/types.ts'
import {
  GetConfigurationRequest,
  GetConfigurationResponse
} from '../../../model/dapr/messages/configuration.generated.ts'
import {
  TryLockRequest,
  TryLockResponse,
  UnlockRequest,
  UnlockResponse
} from '../../../model/dapr/messages/lock.generated.ts'
import {
  GetBulkSecretRequest,
  GetBulkSecretResponse,
  GetSecretRequest,
  GetSecretResponse
} from '../../../model/dapr/messages/secret.generated.ts'
import {ComponentFault} from '../properties.ts'
import {callerOf, DaprdError, type OpenedByDaprd} from './daprd-access.ts'

/** A secret store of daprd. */
export function secretStore(options: OpenedByDaprd): SecretStore {
  const call = callerOf(options)
  const storeName = options.resource.name
  return {
    capabilities: options.capabilities,
    get: async key => {
      const answer = await call('GetSecret', encode(GetSecretRequest, {storeName, key})).catch((error: Error) => {
        // a component must not be opened without its secret
        throw error.cause instanceof DaprdError ? error : new ComponentFault(error.message, options.resource.place)
      })
      return decode(GetSecretResponse, answer).data
    },
    all: async () => {
      const answer = await call('GetBulkSecret', encode(GetBulkSecretRequest, {storeName}))
      const {data} = decode(GetBulkSecretResponse, answer)
      return Object.fromEntries(Object.entries(data).map(([name, {secrets}]) => [name, secrets]))
    }
  }
}

/** A configuration store of daprd. */
export function configurationStore(options: OpenedByDaprd): ConfigurationStore {
  const call = callerOf(options)
  const {access, capabilities, resource} = options
  const storeName = resource.name
  const closed = new AbortController()
  return {
    capabilities,
    get: async (keys, metadata) =>
      decode(
        GetConfigurationResponse,
        await call('GetConfiguration', encode(GetConfigurationRequest, {storeName, keys: [...keys], metadata}))
      ).items,
    subscribe: async (keys, metadata, changed) => {
      const query = new URLSearchParams([
        ...keys.map(key => ['key', key]),
        ...Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value])
      ])
      return access.watch({
        path: `/v1.0/configuration/${encodeURIComponent(storeName)}`,
        query: query.toString(),
        changed: items => changed(itemsOf(items)),
        over: closed.signal
      })
    },
    close: async () => closed.abort()
  }
}

/** Adds empty values, which daprd leaves out. */
function itemsOf(items: unknown): ConfigurationItems {
  const all = Object.entries((items ?? {}) as Readonly<Record<string, Partial<ConfigurationItems[string]> | null>>)
  return Object.fromEntries(
    all.map(([key, item]) => [
      key,
      {value: item?.value ?? '', version: item?.version ?? '', metadata: item?.metadata ?? {}}
    ])
  )
}

const UNLOCK_STATUS: readonly Unlocked[] = ['done', 'not-there', 'not-owned', 'failed']

/** Daprd makes the key of a lock from its resource, as our block does. */
const resourceIdOf = (key: string): string => key.slice(key.lastIndexOf('||') + 2)

/** A lock store of daprd. */
export function lockStore(options: OpenedByDaprd): LockStore {
  const call = callerOf(options)
  const storeName = options.resource.name
  return {
    capabilities: options.capabilities,
    lock: async (key, lockOwner, expiryMs) => {
      const request = {storeName, resourceId: resourceIdOf(key), lockOwner, expiryInSeconds: Math.ceil(expiryMs / 1000)}
      return decode(TryLockResponse, await call('TryLockAlpha1', encode(TryLockRequest, request))).success
    },
    unlock: async (key, lockOwner) => {
      const request = {storeName, resourceId: resourceIdOf(key), lockOwner}
      const {status} = decode(UnlockResponse, await call('UnlockAlpha1', encode(UnlockRequest, request)))
      return UNLOCK_STATUS[status] ?? 'failed'
    }
  }
}
