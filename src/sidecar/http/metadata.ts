import {goJson} from './go-text.ts'

export interface Component {
  readonly name: string
  readonly type: string
  readonly version: string
  readonly capabilities: readonly string[]
}

/** How the app is reached, in Dapr's terms; 0 and '' = omitted. */
export interface AppConnection {
  readonly port: number
  readonly protocol: string
  readonly channelAddress: string
  readonly maxConcurrency: number
  /** Undefined: no health check. Durations as Go writes them: `5s`, `500ms`. */
  readonly health:
    | {readonly path: string; readonly interval: string; readonly timeout: string; readonly threshold: number}
    | undefined
}

/** The content of `/v1.0/metadata`. */
export interface Facts {
  readonly runtimeVersion: string
  readonly enabledFeatures: readonly string[]
  readonly components: readonly Component[]
  /** `appCommand`, `appPID`, `cliPID`; in a template also `runTemplatePath`, `runTemplateName`, `appLogPath`, `daprdLogPath`. */
  readonly extended: Readonly<Record<string, string>>
  readonly httpEndpoints: readonly string[]
  readonly resiliencies: readonly string[]
  readonly connection: AppConnection
}

const named = (names: readonly string[]): {readonly name: string}[] => names.map(name => ({name}))

/** Go omits empty lists. */
const filled = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

const connectionOf = ({port, protocol, channelAddress, maxConcurrency, health}: AppConnection): object => ({
  port: port || undefined,
  protocol: protocol || undefined,
  channelAddress: channelAddress || undefined,
  maxConcurrency: maxConcurrency > 0 ? maxConcurrency : undefined,
  health: health && {
    healthCheckPath: health.path || undefined,
    healthProbeInterval: health.interval,
    healthProbeTimeout: health.timeout,
    healthThreshold: health.threshold
  }
})

/** What `extended` holds, in the order of its keys; what was set over the API takes precedence. */
export const extendedOf = (facts: Facts, custom: ReadonlyMap<string, string>): Readonly<Record<string, string>> => {
  const extended = {...facts.extended, ...Object.fromEntries(custom), daprRuntimeVersion: facts.runtimeVersion}
  return Object.fromEntries(Object.entries(extended).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The body of the response, keys in Dapr's order (pkg/api/http/metadata.go). `put` was set over the API and takes precedence.
 * No actors run here, and it reports that.
 */
export const metadataText = (id: string, facts: Facts, custom: ReadonlyMap<string, string>): string => {
  const text = goJson({
    id,
    runtimeVersion: facts.runtimeVersion,
    enabledFeatures: filled(facts.enabledFeatures),
    components: filled(
      facts.components.map(({name, type, version, capabilities}) => ({
        name,
        type,
        version: version || undefined,
        capabilities: filled(capabilities)
      }))
    ),
    extended: extendedOf(facts, custom),
    httpEndpoints: filled(named(facts.httpEndpoints)),
    appConnectionProperties: connectionOf(facts.connection),
    actorRuntime: {runtimeStatus: 'DISABLED', hostReady: false, placement: 'placement: disconnected'},
    resiliencies: filled(named(facts.resiliencies))
  })
  return `${text}\n`
}
