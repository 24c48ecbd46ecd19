import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {ConfigurationItems, ConfigurationStore} from '../configuration-store.ts'
import type {LockStore, Unlocked} from '../lock-store.ts'
import type {SecretStore} from '../secret-store.ts'
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
import {callerOf, DaprdError, type OpenedByDaprd, causeOf} from './daprd-access.ts'
import {
  CONCURRENCY,
  CONSISTENCY,
  EtagError,
  type DeleteRequest,
  type StateOptions,
  type StateStore
} from '../state-store.ts'
import {
  DeleteStateRequest,
  ExecuteStateTransactionRequest,
  GetStateRequest,
  GetStateResponse,
  SaveStateRequest
} from '../../../model/dapr/messages/state.generated.ts'

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

/** Adds empty values, which daprd omits. */
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

const INVALID_ARGUMENT = 3
const ABORTED = 10

/** Removes the prefix of a key: daprd adds it itself, by the same `keyPrefix`. */
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

/** Converts an error of daprd. Errors about an ETag have gRPC codes of their own. */
function failureOf(error: unknown): Error {
  const why = causeOf(error)
  if (!(error instanceof DaprdError)) return new Error(why)
  const bare = why.replace(/^(?:possible etag mismatch\. error from state store|invalid etag value)(?:: )?/, '')
  if (error.code === ABORTED) return new EtagError('mismatch', bare)
  return error.code === INVALID_ARGUMENT && bare !== why ? new EtagError('invalid', bare) : new Error(why)
}

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
