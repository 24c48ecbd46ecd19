import type {ConfigurationItem, ConfigurationItems} from '../../../components/configuration-store.ts'
import {messageOf} from '../../../model/errors.ts'
import type {Reply} from '../../../net/reply.ts'
import type {ConfigurationListener} from '../../blocks/configurations.ts'
import {BlockError} from '../../blocks/block-error.ts'
import {goJson} from '../go-text.ts'
import {DONE, metadataOf, queryOf, type BlockHandler} from './block-request.ts'

// Configuration over HTTP (Dapr: pkg/api/http/http.go).

const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: goJson(value),
  lines: ''
})

/** Empty fields are left out. */
const itemJson = ({value, version, metadata}: ConfigurationItem): object => ({
  value: value || undefined,
  version: version || undefined,
  metadata: Object.keys(metadata).length > 0 ? metadata : undefined
})

const itemsJson = (items: ConfigurationItems): object =>
  Object.fromEntries(Object.entries(items).map(([key, item]) => [key, itemJson(item)]))

export const getConfiguration: BlockHandler = async ({configurations}, request) => {
  const {
    params: [store = ''],
    query,
    onGone
  } = request
  const keys = queryOf(request).getAll('key')
  const items = await configurations.get(store, keys, metadataOf(query), onGone)
  return Object.keys(items).length === 0 ? DONE : json(itemsJson(items))
}

export const subscribeConfiguration: BlockHandler = async ({configurations, postToApp, log}, request) => {
  const {
    params: [store = ''],
    query,
    onGone
  } = request
  await configurations.store(store)
  if (postToApp === undefined)
    throw new BlockError(
      [500, 'internal', 'ERR_APP_CHANNEL_NIL'],
      'app channel is not initialized. cannot subscribe to configuration updates'
    )
  const keys = queryOf(request).getAll('key')
  const deliver: ConfigurationListener = async (subscription, items) => {
    for (const [key, item] of Object.entries(items)) {
      const body = goJson({id: subscription, items: {[key]: itemJson(item)}})
      const path = `/configuration/${encodeURIComponent(store)}/${encodeURIComponent(key)}`
      const why = await configurations.deliver(store, async () => postToApp(path, body))
      if (why !== '') log.write('error', `error sending configuration update of ${key} to the app: ${why}`)
    }
  }
  const wanted = {storeName: store, keys, metadata: metadataOf(query), isOfProcess: true, onGone}
  const id = await configurations.subscribe(wanted, deliver)
  return json({id})
}

export const unsubscribeConfiguration: BlockHandler = async (
  {configurations},
  {params: [store = '', id = ''], onGone}
) => {
  try {
    await configurations.unsubscribe(store, id, onGone)
    return json({ok: true})
  } catch (error) {
    if (error instanceof BlockError) throw error
    return json({message: messageOf(error)}, 500)
  }
}
