import {EMPTY_BYTES} from '../../../proxy/net/grpc/message-codec.ts'
import type {ACTORS} from '../../../model/dapr/api/blocks.ts'
import {
  ExecuteActorStateTransactionRequest,
  GetActorStateRequest,
  GetActorStateResponse,
  InvokeActorRequest,
  InvokeActorResponse
} from '../../../model/dapr/messages/actors.generated.ts'
import {headerLines} from '../http/blocks/app-headers.ts'
import {traceLines} from '../http/trace.ts'
import {BlockError} from '../blocks/block-error.ts'
import {inGrpc} from './actor-grpc.ts'
import {EMPTY} from '../http/errors.ts'
import {headerOf, httpDone, type BlockHandler, malformed, readJson, type BlockRequest} from './block-request.ts'
import {bufferOf, grpc, grpcDone, type OperationsOf} from './operation.ts'
import type {ActorOperation} from '../blocks/actor-state.ts'
import {compactJson, itemTexts, memberIn, memberText} from '../blocks/json-text.ts'
import {isObject} from '../../../model/is-object.ts'

const JSON_TYPE = 'application/json'
const CONTENT_TYPE = /^content-type:/im
const REENTRANCY = 'dapr-reentrancy-id'
const SENT_TRACE = /^trace(?:parent|state):.*\r\n/gim

const invoke: BlockHandler = async ({actors}, {params: [type = '', id = '', method = ''], ...request}) => {
  const {protocol, query, lines, trace, body, onGone} = request
  const reentrancyId = headerOf({lines}, REENTRANCY)
  const call = {
    protocol,
    type,
    id,
    method,
    query,
    lines: lines.replace(SENT_TRACE, '') + trace,
    body,
    reentrancyId,
    onGone
  }
  const {lines: answered, body: bytes} = await actors.invoke(call)
  return {status: 200, type: CONTENT_TYPE.test(answered) ? '' : JSON_TYPE, body: '', bytes, lines: answered}
}

const getState: BlockHandler = async ({actorState}, {params: [type = '', id = '', key = ''], onGone}) => {
  const item = await actorState.get(type, id, key, onGone)
  if (item === undefined) return EMPTY
  const lines = headerLines(item.metadata, undefined, name => `metadata.${name}`)
  return {status: 200, type: JSON_TYPE, body: '', bytes: item.data, lines}
}

/** Names of headers that the sidecar sets itself. */
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
      inGrpc(async ({actors}, {actorType: type, actorId: id, method, data, metadata}, {onGone, trace}) => {
        const sent = headerLines(metadata, OF_SIDECAR)
        const reentrancyId = headerOf({lines: sent}, REENTRANCY)
        const lines = headerOf({lines: sent}, 'traceparent') === '' ? sent + traceLines(trace) : sent
        const call = {
          protocol: 'gRPC',
          type,
          id,
          method,
          query: '',
          lines,
          body: bufferOf(data),
          reentrancyId,
          onGone
        } as const
        return {data: (await actors.invoke(call)).body}
      })
    )
  },
  GetActorState: {
    http: getState,
    grpc: grpc(
      GetActorStateRequest,
      GetActorStateResponse,
      inGrpc(async ({actorState}, {actorType, actorId, key}, {onGone}) =>
        actorState.get(actorType, actorId, key, onGone)
      )
    )
  },
  ExecuteActorStateTransaction: {
    http: httpDone(async ({actorState}, request) => {
      const [type = '', id = ''] = request.params
      return actorState.transact(type, id, readOperations(request), request.onGone)
    }),
    grpc: grpcDone(
      ExecuteActorStateTransactionRequest,
      inGrpc(async ({actorState}, {actorType, actorId, operations}, {onGone}) => {
        const changes = operations.map(({operationType: operation, key, value, metadata}) => {
          if (operation !== 'upsert' && operation !== 'delete')
            throw new BlockError(
              [400, 'unimplemented', 'ERR_NOT_SUPPORTED_STATE_OPERATION'],
              `operation type ${operation} not supported`
            )
          return {operation, key, value: bufferOf(value?.value ?? EMPTY_BYTES), isJson: false, etag: '', metadata}
        })
        return actorState.transact(actorType, actorId, changes, onGone)
      })
    )
  }
}

const bad = (why: string): BlockError =>
  new BlockError([500, 'internal', 'ERR_ACTOR_STATE_TRANSACTION_SAVE'], `error saving actor transaction state: ${why}`)

/** Reads the operations of a transaction of an actor's state (Dapr: pkg/actors/api/transactional.go). Throws a BlockError. */
function readOperations(request: BlockRequest): readonly ActorOperation[] {
  const {text, value} = readJson(request)
  if (!Array.isArray(value)) throw malformed('expected an array of operations')
  return itemTexts(text).map((item, at) => readOperation(item, value[at] as unknown))
}

function readOperation(text: string, value: unknown): ActorOperation {
  if (!isObject(value)) throw malformed('an operation must be an object')
  const operation = memberIn(value, 'operation') ?? ''
  if (typeof operation !== 'string') throw malformed('"operation" must be a text')
  if (operation === '') throw bad('operation is empty')
  if (operation !== 'upsert' && operation !== 'delete') throw bad(`operation type ${operation} not supported`)
  const request = memberIn(value, 'request')
  if (request === undefined || request === null) throw bad('request data is empty')
  if (!isObject(request)) throw bad('expected a map')
  const key = textOf(request, 'key')
  if (key === '') throw bad('missing key')
  const metadata = memberIn(request, 'metadata') ?? {}
  if (!isObject(metadata)) throw bad(`'metadata' expected type 'map', got unconvertible type '${goType(metadata)}'`)
  return {
    operation,
    key,
    value: Buffer.from(compactJson(memberText(memberText(text, 'request') ?? '{}', 'value') ?? 'null')),
    isJson: true,
    etag: textOf(request, 'etag'),
    metadata: Object.fromEntries(Object.keys(metadata).map(name => [name, textOf(metadata, name)]))
  }
}

/** Returns the string in a member; '': missing or null. Throws for other types, in the words of mitchellh/mapstructure. */
function textOf(value: Readonly<Record<string, unknown>>, name: string): string {
  const member = memberIn(value, name)
  if (member === undefined || member === null) return ''
  if (typeof member === 'string') return member
  throw bad(
    `1 error(s) decoding:\n\n* '${name}' expected type 'string', got unconvertible type '${goType(member)}', value: '${JSON.stringify(member)}'`
  )
}

const goType = (value: unknown): string =>
  typeof value === 'number'
    ? 'float64'
    : typeof value === 'boolean'
      ? 'bool'
      : Array.isArray(value)
        ? '[]interface {}'
        : 'map[string]interface {}'
