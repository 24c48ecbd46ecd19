import {
  ActorRuntime_ActorRuntimeStatus as STATUS,
  GetMetadataResponse,
  PubsubSubscriptionType as TYPES
} from '../../../model/dapr/messages/metadata.generated.ts'
import {encode} from '../../../proxy/net/grpc/message-codec.ts'
import {activeActors, extendedOf, named, type Facts} from '../http/metadata.ts'

/** GetMetadataResponse: the same as `/v1.0/metadata`. */
export function metadataMessage(id: string, facts: Facts, custom: ReadonlyMap<string, string>): Uint8Array {
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
