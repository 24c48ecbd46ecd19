import type {Reply} from '../../../proxy/net/reply.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {apiError} from '../http/errors.ts'
import type {BlockCall} from '../http/routes.ts'
import {carriedTraceparent} from '../http/trace.ts'
import {headerOf, malformed, type BlockRequest} from './block-request.ts'
import {operationOf} from './operations.ts'

/** Responds to a call to a building block, failures included. */
export async function answerHttp(blocks: Blocks, name: BlockCall['call'], request: BlockRequest): Promise<Reply> {
  const sent = carriedTraceparent(headerOf(request, 'traceparent'))
  request.onGone.traceparent = sent || headerOf({lines: request.trace}, 'traceparent')
  try {
    return await operationOf(name, 'http')(blocks, request)
  } catch (error) {
    const {status, errorCode, message, details} = faultOf(error)
    return apiError(status, errorCode, message, details)
  }
}

/** Turns numbers without bounds, and JSON that is nested too deeply, into a mistake of the caller. Throws other errors. */
function faultOf(error: unknown): BlockError {
  if (error instanceof BlockError) return error
  if (error instanceof RangeError) return malformed(error.message)
  throw error
}
