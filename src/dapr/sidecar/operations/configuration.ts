import type {ConfigurationItem, ConfigurationItems} from '../../components/configuration-store.ts'
import {messageOf} from '../../../model/errors.ts'
import type {ConfigurationListener} from '../blocks/configurations.ts'
import type {CONFIGURATION} from '../../../model/dapr/api/blocks.ts'
import {
  GetConfigurationRequest,
  GetConfigurationResponse,
  UnsubscribeConfigurationRequest,
  UnsubscribeConfigurationResponse
} from '../../../model/dapr/messages/configuration.generated.ts'
import {BlockError} from '../blocks/block-error.ts'
import {goJson} from '../http/go-text.ts'
import {grpc, type OperationsOf} from './operation.ts'
import {EMPTY} from '../http/errors.ts'
import {json, metadataOf, queryOf, type BlockHandler} from './block-request.ts'

/** Returns an item as JSON without empty fields. */
const itemJson = ({value, version, metadata}: ConfigurationItem): object => ({
  value: value || undefined,
  version: version || undefined,
  metadata: Object.keys(metadata).length > 0 ? metadata : undefined
})

const itemsJson = (items: ConfigurationItems): object =>
  Object.fromEntries(Object.entries(items).map(([key, item]) => [key, itemJson(item)]))

const get: BlockHandler = async ({configurations}, request) => {
  const [store = ''] = request.params
  const {query, onGone} = request
  const keys = queryOf(request).getAll('key')
  const items = await configurations.get(store, keys, metadataOf(query), onGone)
  return Object.keys(items).length === 0 ? EMPTY : json(itemsJson(items))
}

const subscribe: BlockHandler = async ({configurations, postToApp, log}, request) => {
  const [store = ''] = request.params
  const {query, onGone} = request
  await configurations.store(store)
  if (postToApp === undefined)
    throw new BlockError(
      [500, 'internal', 'ERR_APP_CHANNEL_NIL'],
      'app channel is not initialized. cannot subscribe to configuration updates'
    )
  const keys = queryOf(request).getAll('key')
  const deliver: ConfigurationListener = async (subscription, items, signal) => {
    for (const [key, item] of Object.entries(items)) {
      const body = goJson({id: subscription, items: {[key]: itemJson(item)}})
      const path = `/configuration/${encodeURIComponent(store)}/${encodeURIComponent(key)}`
      const why = await configurations.deliver(store, async attempt => postToApp(path, body, attempt), signal)
      if (why !== '') log.write('error', `error sending configuration update of ${key} to the app: ${why}`)
    }
  }
  const wanted = {storeName: store, keys, metadata: metadataOf(query), isOfProcess: true, onGone}
  const id = await configurations.subscribe(wanted, deliver)
  return json({id})
}

const unsubscribe: BlockHandler = async ({configurations}, {params: [store = '', id = ''], onGone}) => {
  try {
    await configurations.unsubscribe(store, id, onGone)
    return json({ok: true})
  } catch (error) {
    if (error instanceof BlockError) throw error
    return json({message: messageOf(error)}, 500)
  }
}

/** Configuration (Dapr: pkg/api/http/http.go, pkg/api/grpc/grpc.go). */
export const CONFIGURATION_OPERATIONS: OperationsOf<typeof CONFIGURATION> = {
  GetConfiguration: {
    http: get,
    grpc: grpc(
      GetConfigurationRequest,
      GetConfigurationResponse,
      async ({configurations}, {storeName, keys, metadata}, {onGone}) => ({
        items: await configurations.get(storeName, keys, metadata, onGone)
      })
    )
  },
  SubscribeConfiguration: {
    http: subscribe,
    stream: async (stream, blocks) =>
      (await import('../grpc/blocks/subscribe-configuration.ts')).subscribeConfiguration(stream, blocks)
  },
  UnsubscribeConfiguration: {
    http: unsubscribe,
    // the answer reports an unknown id, so the call itself does not fail
    grpc: grpc(UnsubscribeConfigurationRequest, UnsubscribeConfigurationResponse, async ({configurations}, {id}) => {
      const why = await configurations.end(id).then(() => '', messageOf)
      return why === ''
        ? {ok: true}
        : {ok: false, message: `failed to unsubscribe to configuration request ${id}: ${why}`}
    })
  }
}
