import type {ApiOperation} from '../../../model/dapr/api/api.ts'
import {grpcMethod, isGrpcRule} from '../../../model/dapr/api/routes.ts'
import {
  ActorRuntime_ActorRuntimeStatus as STATUS,
  GetMetadataResponse,
  PubsubSubscriptionType as TYPES
} from '../../../model/dapr/messages/metadata.generated.ts'
import {eachField, readStrings} from '../../../proxy/net/grpc/invoke-messages.ts'
import {EMPTY_BYTES, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {type GrpcStatus, UNIMPLEMENTED, EXCEEDED, INTERNAL} from '../../../proxy/net/grpc/status.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {activeActors, extendedOf, named, type Facts} from '../http/metadata.ts'
import type {BlockCaller} from '../operations/operation.ts'
import {workParent} from '../http/trace.ts'
import {sentTrace} from './grpc-trace.ts'
import {isMarked, type RequestHead} from './request-head.ts'
import {ownOf} from '../../../model/own.ts'
import {withErrorInfo} from '../../../proxy/net/grpc/error-info.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'
import {messageOf, bugText} from '../../../model/errors.ts'
import {systemClock} from '../../../platform/clock.ts'
import type {ServerStream} from './server-stream.ts'
import type {SidecarOptions} from '../sidecar-options.ts'

export interface OwnMethodsContext extends Pick<SidecarOptions, 'appId' | 'facts' | 'blocks' | 'requestShutdown'> {
  /** See `AppRuntime.home`. */
  readonly instance: string
  /** See `AppRuntime.lives`. */
  readonly lives: () => readonly number[]
  readonly workflows: () => Promise<Workflows>
  /** Metadata that was set over either API. */
  readonly customMetadata: Map<string, string>
}

/** The encoded message of the answer, or the status of the failed call. */
export type OwnAnswer = Uint8Array | GrpcStatus
export type OwnMethod = (
  message: Buffer,
  context: OwnMethodsContext,
  call: OwnGrpcCall
) => OwnAnswer | Promise<OwnAnswer>

/** The caller's side of a call that the sidecar answers itself. */
interface OwnGrpcCall extends BlockCaller {
  readonly head: RequestHead
}

/** Throws if a message cannot be decoded. Its fields are not used. */
const checkMessage = (message: Uint8Array): void => eachField(message, () => false)

let answers: typeof import('../operations/answer-grpc.ts') | undefined

/** Returns the server of a method of a building block. Its first call loads code: an import in each call would take a tenth of its time. */
const block =
  (name: ApiOperation['name']): OwnMethod =>
  async (message, context, call) => {
    const {answerGrpc} = (answers ??= await import('../operations/answer-grpc.ts'))
    return answerGrpc(await context.blocks(), name, message, call)
  }

/** Methods that need no building block (Dapr: pkg/api/grpc). */
const OWN: Partial<Readonly<Record<ApiOperation['name'], OwnMethod>>> = {
  GetMetadata: (message, {appId, facts, customMetadata}) => {
    checkMessage(message)
    return metadataMessage(appId, facts(), customMetadata)
  },
  SetMetadata: (message, {customMetadata}) => {
    const [key = '', value = ''] = readStrings(message, [1, 2])
    if (key !== '') customMetadata.set(key, value)
    return EMPTY_BYTES
  },
  Shutdown: (message, {requestShutdown}, {head}) => {
    checkMessage(message)
    setImmediate(requestShutdown, isMarked(head, 'dapr-force-shutdown'))
    return EMPTY_BYTES
  }
}

/** Path of durabletask's service, which workers of workflows and their clients use. */
const TASK_HUB = '/TaskHubSidecarService/'

export const WORK_ITEMS = 'GetWorkItems'

let hub: typeof import('../../../work/workflow/hub/hub.ts') | undefined

const hubMethod =
  (name: string): OwnMethod =>
  async (message, {workflows, appId: app}, {head, trace, onGone}) => {
    const {callHub} = (hub ??= await import('../../../work/workflow/hub/hub.ts'))
    return callHub(await workflows(), name, message, {
      app,
      onGone,
      trace: workParent(trace.traceparent, sentTrace(head))
    })
  }

const operationIn = (path: string): ApiOperation | undefined =>
  path.startsWith(DAPR) ? grpcMethod(path.slice(DAPR.length))?.operation : undefined

/** The methods that were found, by path, since calls are many. */
const KNOWN = new Map<string, OwnMethod>()

/** Returns the function that serves a unary method of the sidecar's own API; undefined: the API has no such method. */
export function ownMethod(path: string): OwnMethod | undefined {
  if (path.startsWith(TASK_HUB)) return hubMethod(path.slice(TASK_HUB.length))
  const known = KNOWN.get(path)
  const operation = known === undefined ? operationIn(path) : undefined
  if (operation === undefined) return known
  const {name, isStream} = operation
  const own = ownOf(OWN, name)
  if (own === undefined && (isStream || name === 'InvokeService')) return undefined
  const method = own ?? block(name)
  KNOWN.set(path, method)
  return method
}

export type OwnStreamName = ApiOperation['name'] | typeof WORK_ITEMS

/** Returns the name of a streaming method of the sidecar's own API; undefined: the API has no such method. */
export function ownStream(path: string): OwnStreamName | undefined {
  if (path === TASK_HUB + WORK_ITEMS) return WORK_ITEMS
  const operation = operationIn(path)
  return operation?.isStream === true ? operation.name : undefined
}

/** Encodes the GetMetadataResponse, with the content of `/v1.0/metadata`. */
function metadataMessage(id: string, facts: Facts, custom: ReadonlyMap<string, string>): Uint8Array {
  const {actors, connection, connectedWorkers, scheduler} = facts
  return encode(GetMetadataResponse, {
    id,
    activeActorsCount: activeActors(facts),
    registeredComponents: facts.components,
    extendedMetadata: extendedOf(facts, custom),
    subscriptions: facts.subscriptions.map(each => ({...each, rules: {rules: each.rules}, type: TYPES[each.type]})),
    httpEndpoints: named(facts.httpEndpoints),
    appConnectionProperties: {...connection, maxConcurrency: Math.max(0, connection.maxConcurrency)},
    runtimeVersion: facts.runtimeVersion,
    enabledFeatures: facts.enabledFeatures,
    actorRuntime: {
      runtimeStatus: actors === undefined ? STATUS.DISABLED : actors.isReady ? STATUS.RUNNING : STATUS.INITIALIZING,
      activeActors: activeActors(facts),
      hostReady: actors?.isReady === true,
      placement: `placement: ${actors === undefined ? 'disconnected' : 'connected'}`
    },
    scheduler: scheduler.length > 0 ? {connectedAddresses: scheduler} : undefined,
    workflows: connectedWorkers === undefined ? undefined : {connectedWorkers},
    mcpServers: named(facts.mcpServers),
    workflowAccessPolicies: named(facts.accessPolicies),
    resiliencies: named(facts.resiliencies)
  })
}

export const DAPR = '/dapr.proto.runtime.v1.Dapr/'
/** Prefix of the paths of Dapr's own services. Other paths belong to apps: the proxy calls them, and API access rules do not apply. */
export const RUNTIME_PATHS = '/dapr.proto.runtime.'

/** Whether the API access rules of the Configuration allow a method. A denial wins over a permission. */
export const isMethodServed = (access: ApiAccess | undefined, path: string): boolean => {
  if (access === undefined || !path.startsWith(RUNTIME_PATHS)) return true
  const {allowed, denied} = access
  const rule = path.startsWith(DAPR) ? (grpcMethod(path.slice(DAPR.length))?.rule ?? '') : ''
  // a rule that names no API of gRPC restricts nothing (Dapr: apiAccessRuleToMap)
  const isRestricted = allowed.some(isGrpcRule)
  return !denied.includes(rule) && (!isRestricted || allowed.includes(rule))
}

/** The status for a method that the API access rules do not allow. */
export const NOT_SERVED = withErrorInfo(UNIMPLEMENTED, 'Not Implemented', {
  reason: 'Not Implemented',
  metadata: {'http.code': '501', 'http.error_message': 'requested endpoint is not available'}
})

/** Serves a streaming method, until it or its deadline ends. */
export function serveStream(
  stream: ServerStream,
  name: OwnStreamName,
  context: OwnMethodsContext,
  isLast: boolean
): void {
  const {caller, head, deadline, sidecar} = stream.received
  caller.handler = stream
  const callOff = systemClock.after(Math.max(0, deadline - performance.now()), () => stream.end(EXCEEDED))
  if (isLast) stream.data(caller, '', true)
  void run(stream, head, name, context).catch((error: unknown) => {
    sidecar.warn(bugText(error))
    stream.end({code: INTERNAL, message: messageOf(error)})
  })
  stream.ended.addEventListener('abort', callOff, {once: true})
}

async function run(
  stream: ServerStream,
  {userAgent}: RequestHead,
  name: OwnStreamName,
  context: OwnMethodsContext
): Promise<void> {
  if (name === WORK_ITEMS) {
    const [workflows, {streamWorkItems}] = await Promise.all([
      context.workflows(),
      import('../../../work/workflow/hub/work-item-stream.ts')
    ])
    return stream.end(await streamWorkItems(workflows, context, stream, userAgent))
  }
  const [blocks, {answerStream}] = await Promise.all([context.blocks(), import('../operations/answer-grpc.ts')])
  stream.end(await answerStream(blocks, name, stream))
}
