import type {Reply} from '../../../net/reply.ts'
import {BlockError} from '../../blocks/block-error.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import {apiError} from '../errors.ts'
import {goJson} from '../go-text.ts'
import type {BlockCall} from './block-routes.ts'

/** A request to a building block over HTTP. */
export interface BlockRequest {
  readonly params: readonly string[]
  /** With its `?`. */
  readonly query: string
  /** Header lines as the caller sent them. */
  readonly lines: string
  readonly body: Buffer
}

type Handler = (blocks: Blocks, request: BlockRequest) => Promise<Reply>

const json = (value: unknown): Reply => ({status: 200, type: 'application/json', body: goJson(value), lines: ''})

const HANDLERS: Readonly<Record<BlockCall['call'], Handler>> = {
  'get-secret': async ({secrets}, {params: [store = '', name = '']}) => json(await secrets.get(store, name)),
  'get-secrets': async ({secrets}, {params: [store = '']}) => json(await secrets.all(store))
}

/** Responds to a call to a building block, failures included. */
export async function handleBlock(blocks: Blocks, call: BlockCall['call'], request: BlockRequest): Promise<Reply> {
  try {
    return await HANDLERS[call](blocks, request)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const {status, errorCode, message, details} = error
    return apiError(status, errorCode, message, details)
  }
}
