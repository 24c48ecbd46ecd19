import type {AppConnectionProperties, RegisteredComponents} from '../../../model/dapr/messages/metadata.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import {goJson, sortedByKey} from './go-text.ts'
import type {TopicTrigger} from '../../../model/triggers.ts'

type AppConnection = Message<typeof AppConnectionProperties>

/** A topic that the app is subscribed to, as metadata lists it. */
export interface Subscription extends Omit<TopicTrigger, 'bulk'> {
  /** Routing rules. The first whose `match` is true counts; `match` '': always true. */
  readonly rules: readonly {readonly match: string; readonly path: string}[]
  readonly type: 'DECLARATIVE' | 'PROGRAMMATIC' | 'STREAMING'
}

/** The content of `/v1.0/metadata`. */
export interface Facts {
  readonly runtimeVersion: string
  readonly enabledFeatures: readonly string[]
  readonly components: readonly Message<typeof RegisteredComponents>[]
  /** `appCommand`, `appPID`, `cliPID`; in a template also `runTemplatePath`, `runTemplateName`, `appLogPath`, `daprdLogPath`. */
  readonly extended: Readonly<Record<string, string>>
  readonly subscriptions: readonly Subscription[]
  readonly httpEndpoints: readonly string[]
  readonly resiliencies: readonly string[]
  readonly accessPolicies: readonly string[]
  readonly mcpServers: readonly string[]
  /** Addresses of the scheduler that stores the jobs; empty: none. */
  readonly scheduler: readonly string[]
  /** How the sidecar reaches the app. `health` undefined: no health check. Durations are as Go writes them: `5s`, `500ms`. */
  readonly connection: AppConnection
  /** Active actors by type; omitted if the app hosts none. */
  readonly actors?: {readonly isReady: boolean; readonly active: ReadonlyMap<string, number>} | undefined
  readonly connectedWorkers?: number
}

export const named = (names: readonly string[]): {readonly name: string}[] => names.map(name => ({name}))

/** Returns a list, or undefined if it is empty: Go's JSON omits empty lists. */
const filled = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

const subscriptionOf = ({pubsubName, topic, metadata, rules, deadLetterTopic, type}: Subscription): object => ({
  pubsubname: pubsubName,
  topic,
  metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  rules: filled(rules.map(({match, path}) => ({match: match || undefined, path: path || undefined}))),
  deadLetterTopic,
  type
})

const connectionOf = ({port, protocol, channelAddress, maxConcurrency, health}: AppConnection): object => ({
  port: port || undefined,
  protocol: protocol || undefined,
  channelAddress: channelAddress || undefined,
  maxConcurrency: maxConcurrency > 0 ? maxConcurrency : undefined,
  health: health && {...health, healthCheckPath: health.healthCheckPath || undefined}
})

const counted = ({type, count}: {readonly type: string; readonly count: number}): object => ({
  type,
  count: count || undefined
})

/** Returns the state of the actor runtime. Pillion has no placement service, but reports one as connected for an app with actors. */
function actorRuntimeOf(facts: Facts): object {
  if (facts.actors === undefined)
    return {runtimeStatus: 'DISABLED', hostReady: false, placement: 'placement: disconnected'}
  return {
    runtimeStatus: facts.actors.isReady ? 'RUNNING' : 'INITIALIZING',
    activeActors: filled(activeActors(facts).map(counted)),
    hostReady: facts.actors.isReady,
    placement: 'placement: connected'
  }
}

/** Returns the extended metadata, sorted by key. `custom`: values that were set over the API, which have precedence. */
export const extendedOf = (facts: Facts, custom: ReadonlyMap<string, string>): Readonly<Record<string, string>> =>
  sortedByKey({...facts.extended, ...Object.fromEntries(custom), daprRuntimeVersion: facts.runtimeVersion})

export const activeActors = ({actors}: Facts): readonly {readonly type: string; readonly count: number}[] =>
  [...(actors?.active ?? [])].map(([type, count]) => ({type, count}))

/** Returns the body of `/v1.0/metadata`, keys in Dapr's order (pkg/api/http/metadata.go). `custom`: values that were set over the API. */
export const metadataText = (id: string, facts: Facts, custom: ReadonlyMap<string, string>): string => {
  const text = goJson({
    id,
    runtimeVersion: facts.runtimeVersion,
    enabledFeatures: filled(facts.enabledFeatures),
    actors: facts.actors && activeActors(facts).map(each => counted(each)),
    components: filled(
      facts.components.map(({name, type, version, capabilities}) => ({
        name,
        type,
        version: version || undefined,
        capabilities: filled(capabilities)
      }))
    ),
    extended: extendedOf(facts, custom),
    subscriptions: filled(facts.subscriptions.map(subscriptionOf)),
    httpEndpoints: filled(named(facts.httpEndpoints)),
    appConnectionProperties: connectionOf(facts.connection),
    actorRuntime: actorRuntimeOf(facts),
    scheduler: facts.scheduler.length > 0 ? {connected_addresses: facts.scheduler} : undefined,
    workflows: facts.connectedWorkers === undefined ? undefined : {connectedWorkers: facts.connectedWorkers},
    mcpServers: filled(named(facts.mcpServers)),
    workflowAccessPolicies: filled(named(facts.accessPolicies)),
    resiliencies: filled(named(facts.resiliencies))
  })
  return `${text}\n`
}
