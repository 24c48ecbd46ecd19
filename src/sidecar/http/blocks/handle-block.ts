import type {Reply} from '../../../net/reply.ts'
import {BlockError} from '../../blocks/block-error.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import {apiError} from '../errors.ts'
import type {BlockHandler, BlockRequest} from './block-request.ts'
import type {BlockCall} from './block-routes.ts'
import {invokeBinding} from './bindings.ts'
import {publish, publishBulk} from './publish.ts'
import {getConfiguration, subscribeConfiguration, unsubscribeConfiguration} from './configurations.ts'
import {lock, unlock} from './locks.ts'
import {getSecret, getSecrets} from './secrets.ts'
import {bulkGetState, deleteState, getState, queryState, saveState, transactState} from './state.ts'

const HANDLERS: Readonly<Record<BlockCall['call'], BlockHandler>> = {
  'get-secret': getSecret,
  'get-secrets': getSecrets,
  'get-state': getState,
  'save-state': saveState,
  'delete-state': deleteState,
  'bulk-get-state': bulkGetState,
  'transact-state': transactState,
  'query-state': queryState,
  lock,
  unlock,
  'get-configuration': getConfiguration,
  'subscribe-configuration': subscribeConfiguration,
  'unsubscribe-configuration': unsubscribeConfiguration,
  publish,
  'publish-bulk': publishBulk,
  'invoke-binding': invokeBinding
}

/** Responds to a call to a building block, failures included. */
export async function handleBlock(blocks: Blocks, call: BlockCall['call'], request: BlockRequest): Promise<Reply> {
  try {
    return await answer(blocks, call, request)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const {status, errorCode, message, details} = error
    return apiError(status, errorCode, message, details)
  }
}

/** Dapr looks for these stores before it reads the body. Here a body that cannot be read is the rare case in which one is looked for. */
const STORE_FIRST: readonly BlockCall['call'][] = ['save-state', 'bulk-get-state', 'transact-state']

async function answer(blocks: Blocks, call: BlockCall['call'], request: BlockRequest): Promise<Reply> {
  try {
    return await HANDLERS[call](blocks, request)
  } catch (error) {
    if (error instanceof BlockError && error.errorCode === 'ERR_MALFORMED_REQUEST' && STORE_FIRST.includes(call))
      await blocks.state.check(request.params[0] ?? '')
    throw error
  }
}
