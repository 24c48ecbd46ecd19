import {decode, encode} from '../../../net/grpc/message-codec.ts'
import type {GrpcStatus} from '../../../net/grpc/status.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {BlockCaller, BlockMethod} from './block-method.ts'
import {invokeBinding} from './binding-methods.ts'
import {statusOfFault} from './block-status.ts'
import {getConfiguration, unsubscribeConfiguration} from './configuration-methods.ts'
import {tryLock, unlock} from './lock-methods.ts'
import {GET_SECRET, SECRET, SECRETS, STORE_ONLY} from '../../../net/grpc/messages/state.ts'
import {bulkPublishEvent, publishEvent} from './publish-methods.ts'
import {
  deleteBulkState,
  deleteState,
  getBulkState,
  getState,
  queryState,
  saveState,
  transactState
} from './state-methods.ts'

const METHODS: Readonly<Record<string, BlockMethod>> = {
  GetState: getState,
  GetBulkState: getBulkState,
  SaveState: saveState,
  DeleteState: deleteState,
  DeleteBulkState: deleteBulkState,
  ExecuteStateTransaction: transactState,
  QueryStateAlpha1: queryState,
  PublishEvent: publishEvent,
  BulkPublishEventAlpha1: bulkPublishEvent,
  BulkPublishEvent: bulkPublishEvent,
  GetConfigurationAlpha1: getConfiguration,
  GetConfiguration: getConfiguration,
  UnsubscribeConfigurationAlpha1: unsubscribeConfiguration,
  UnsubscribeConfiguration: unsubscribeConfiguration,
  TryLockAlpha1: tryLock,
  UnlockAlpha1: unlock,
  InvokeBinding: invokeBinding,
  GetSecret: async ({secrets}, bytes, {onGone}) => {
    const {storeName, key} = decode(GET_SECRET, bytes)
    return encode(SECRET, {data: await secrets.get(storeName, key, onGone)})
  },
  GetBulkSecret: async ({secrets}, bytes, {onGone}) => {
    const all = await secrets.all(decode(STORE_ONLY, bytes).storeName, onGone)
    const data = Object.fromEntries(Object.entries(all).map(([name, keys]) => [name, {secrets: keys}]))
    return encode(SECRETS, {data})
  }
}

/** Serves a call to a building block, failures included. */
export async function callBlock(
  blocks: Blocks,
  name: string,
  message: Uint8Array,
  caller: BlockCaller
): Promise<Uint8Array | GrpcStatus> {
  try {
    const method = METHODS[name]
    if (method === undefined) throw new Error(`no method ${name}`)
    return await method(blocks, message, caller)
  } catch (error) {
    return statusOfFault(error)
  }
}
