import type {Reply} from '../../../../proxy/net/reply.ts'
import type {Blocks} from '../../blocks/blocks.ts'
import type {BlockRequest} from '../../operations/block-request.ts'
import type {BlockCall} from '../routes.ts'

/** Responds to a call to a building block, failures included. */
export type CallBlock = (call: BlockCall['call'], request: BlockRequest) => Promise<Reply>

/** Serves the building blocks of an app over HTTP. The first call loads their code. */
export function blockCaller(load: () => Promise<Blocks>): CallBlock {
  let loaded: CallBlock | undefined
  const loadAll = async (): Promise<CallBlock> => {
    const [blocks, {answerHttp}] = await Promise.all([load(), import('../../operations/answer-http.ts')])
    loaded = (call, request) => answerHttp(blocks, call, request)
    return loaded
  }
  // creates few promises: it runs for each call
  return (call, request) => loaded?.(call, request) ?? loadAll().then(callBlock => callBlock(call, request))
}
