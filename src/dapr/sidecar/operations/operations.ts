import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {apiError} from '../http/errors.ts'
import {carriedTraceparent} from '../http/trace.ts'
import {headerOf, malformed, type BlockRequest} from './block-request.ts'
import {ACTOR_OPERATIONS} from './actors.ts'
import {FIRING_OPERATIONS} from './actor-firings.ts'
import {BINDING_OPERATIONS} from './bindings.ts'
import {CONFIGURATION_OPERATIONS} from './configuration.ts'
import {CONVERSATION_OPERATIONS} from './conversation.ts'
import {CRYPTOGRAPHY_OPERATIONS} from './cryptography.ts'
import {JOB_OPERATIONS} from './jobs.ts'
import {LOCK_OPERATIONS} from './lock.ts'
import type {BlockOperation} from './operation.ts'
import {PUBSUB_OPERATIONS} from './pubsub.ts'
import {SECRET_OPERATIONS} from './secrets.ts'
import {STATE_OPERATIONS} from './state.ts'
import {WORKFLOW_OPERATIONS} from './workflows.ts'
import {ownOf} from '../../../model/own.ts'

/** The operations of Dapr's API that building blocks serve, by Dapr's names. */
const OPERATIONS: Partial<Readonly<Record<ApiOperation['name'], BlockOperation>>> = {
  ...STATE_OPERATIONS,
  ...PUBSUB_OPERATIONS,
  ...SECRET_OPERATIONS,
  ...CONFIGURATION_OPERATIONS,
  ...BINDING_OPERATIONS,
  ...LOCK_OPERATIONS,
  ...JOB_OPERATIONS,
  ...CRYPTOGRAPHY_OPERATIONS,
  ...CONVERSATION_OPERATIONS,
  ...WORKFLOW_OPERATIONS,
  ...ACTOR_OPERATIONS,
  ...FIRING_OPERATIONS
}

export function operationOf<P extends keyof BlockOperation>(
  name: ApiOperation['name'],
  protocol: P
): NonNullable<BlockOperation[P]> {
  const found = ownOf(OPERATIONS, name)?.[protocol]
  if (found === undefined) throw new Error(`nothing serves ${name} over ${protocol}`)
  return found
}

/** Serves a call to a building block over HTTP. Resolves with Dapr's error if it fails. */
export async function answerHttp(blocks: Blocks, name: ApiOperation['name'], request: BlockRequest): Promise<Reply> {
  const sent = carriedTraceparent(headerOf(request, 'traceparent'))
  request.onGone.traceparent = sent || headerOf({lines: request.trace}, 'traceparent')
  try {
    return await operationOf(name, 'http')(blocks, request)
  } catch (error) {
    // JavaScript throws a RangeError for numbers out of bounds and for JSON that is nested too deeply
    const fault = error instanceof RangeError ? malformed(error.message) : error
    if (!(fault instanceof BlockError)) throw error
    const {status, errorCode, message, details} = fault
    return apiError(status, errorCode, message, details)
  }
}
