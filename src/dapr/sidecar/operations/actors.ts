import type {ACTORS} from '../../../model/dapr/api/actors.ts'
import {
  ExecuteActorStateTransactionRequest,
  GetActorStateRequest,
  GetActorStateResponse,
  InvokeActorRequest,
  InvokeActorResponse
} from '../../../model/dapr/messages/actors.generated.ts'
import {Empty} from '../../../model/dapr/messages/google.generated.ts'
import {headerLines} from '../http/blocks/app-headers.ts'
import {traceLines} from '../http/trace.ts'
import {BlockError} from '../blocks/block-error.ts'
import {readOperations} from './actor-json.ts'
import {inGrpc} from './actor-grpc.ts'
import {DONE, headerOf, type BlockHandler} from './block-request.ts'
import {bufferOf, grpc, type OperationsOf} from './operation.ts'

const JSON_TYPE = 'application/json'
const CONTENT_TYPE = /^content-type:/im
const REENTRANCY = 'dapr-reentrancy-id'

const invoke: BlockHandler = async ({actors}, {params: [type = '', id = '', method = ''], ...request}) => {
  const {query, lines, trace, body, onGone} = request
  const reentrancyId = headerOf({lines}, REENTRANCY)
  const call = {type, id, method, query, lines: lines + trace, body, reentrancyId, onGone}
  const {lines: answered, body: bytes} = await actors.invoke(call)
  return {status: 200, type: CONTENT_TYPE.test(answered) ? '' : JSON_TYPE, body: '', bytes, lines: answered}
}

const getState: BlockHandler = async ({actorState}, {params: [type = '', id = '', key = ''], onGone}) => {
  const item = await actorState.get(type, id, key, onGone)
  if (item === undefined) return DONE
  const lines = Object.entries(item.metadata).map(([name, value]) => `metadata.${name}: ${value}\r\n`)
  return {status: 200, type: JSON_TYPE, body: '', bytes: item.data, lines: lines.join('')}
}

const transact: BlockHandler = async ({actorState}, request) => {
  const [type = '', id = ''] = request.params
  await actorState.transact(type, id, readOperations(request), request.onGone)
  return DONE
}

const NOTHING = new Uint8Array(0)

/** Headers of the sidecar itself. */
const OF_SIDECAR =
  /^(?:host|connection|content-length|transfer-encoding|dapr-api-token|dapr-api-call|dapr-caller-.*|dapr-callee-.*)$/i

/** Actors (Dapr: pkg/api/http/actors.go, pkg/api/grpc/actors.go). */
export const ACTOR_OPERATIONS: Partial<OperationsOf<typeof ACTORS>> = {
  SubscribeActorEvents: {
    stream: async (stream, blocks) =>
      (await import('../grpc/blocks/subscribe-actor-events.ts')).subscribeActorEvents(stream, blocks)
  },
  InvokeActor: {
    http: invoke,
    grpc: grpc(
      InvokeActorRequest,
      InvokeActorResponse,
      async ({actors}, {actorType: type, actorId: id, method, data, metadata}, {onGone, trace}) => {
        const sent = headerLines(metadata, OF_SIDECAR)
        const reentrancyId = headerOf({lines: sent}, REENTRANCY)
        const lines = sent + traceLines(trace)
        const call = {type, id, method, query: '', lines, body: bufferOf(data), reentrancyId, onGone}
        const {body} = await inGrpc(async () => actors.invoke(call))
        return {data: body}
      }
    )
  },
  GetActorState: {
    http: getState,
    grpc: grpc(
      GetActorStateRequest,
      GetActorStateResponse,
      async ({actorState}, {actorType, actorId, key}, {onGone}) => {
        const item = await inGrpc(async () => actorState.get(actorType, actorId, key, onGone))
        return item === undefined ? undefined : {data: item.data, metadata: item.metadata}
      }
    )
  },
  ExecuteActorStateTransaction: {
    http: transact,
    grpc: grpc(
      ExecuteActorStateTransactionRequest,
      Empty,
      async ({actorState}, {actorType, actorId, operations}, {onGone}) => {
        const changes = operations.map(({operationType: operation, key, value, metadata}) => {
          if (operation !== 'upsert' && operation !== 'delete')
            throw new BlockError(
              [400, 'unimplemented', 'ERR_NOT_SUPPORTED_STATE_OPERATION'],
              `operation type ${operation} not supported`
            )
          return {operation, key, value: bufferOf(value?.value ?? NOTHING), isJson: false, etag: '', metadata}
        })
        await inGrpc(async () => actorState.transact(actorType, actorId, changes, onGone))
        return undefined
      }
    )
  }
}
