// Dapr in a compose file: a sidecar is a container that shares the network of its app. Here the run is that sidecar.
import {isAbsolute, join} from 'node:path'
import {hostsOfService, portsOf, startWords, type ComposeSidecar, type Service, type Stack} from './service.ts'
import {pathFrom, pathTo, type ImportedApp, type ImportedFile} from '../imported.ts'
import {boundMounts} from './project.ts'
import {asMap, given, mapOf, mergedValues, textValue, type Values} from '../reading/yaml-file.ts'
import {emptyRecord} from '../../../model/own.ts'

/** Flags of daprd (cmd/daprd/options) and keys of the template. */
export const DAPRD_KEYS: ReadonlyMap<string, string> = new Map(
  'appPort appProtocol appSSL appMaxConcurrency daprHTTPPort daprGRPCPort enableApiLogging enableAppHealthCheck appHealthCheckPath appHealthProbeInterval appHealthProbeTimeout appHealthThreshold enableProfiling logLevel maxBodySize readBufferSize'
    .split(' ')
    .map(key => [key.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase(), key])
)
/** Flags that have other keys, or say nothing here. */
const OTHER_FLAGS =
  /^(?:app-id|app-channel-address|config|components-path|resources-path|(?:placement|scheduler)-host-address|.*listen-addresses|mode|enable-metrics|metrics-port|.*internal-grpc-port|log-as-json|.*sentry-address|control-plane-.*)$/

/** Takes daprd's containers to their apps, and leaves out Dapr's own services and Zipkin, if any service is a sidecar. */
export function withoutDapr(
  services: ReadonlyMap<string, Service>,
  file: ImportedFile
): Pick<Stack, 'services' | 'leftOut'> {
  const leftOut = new Map<string, string>()
  const rest = new Map(services)
  for (const service of services.values()) {
    const flags = daprdFlags(service)
    const owner = flags && services.get(ownerId(service, flags))
    if (owner === undefined || owner === service) continue
    const sidecar = sidecarOf(service, flags ?? new Map(), file)
    const {[owner.id]: _own, ...waited} = asMap('depends_on', service.values['depends_on'])
    const needed = {depends_on: waited}
    const before = rest.get(owner.id) ?? owner
    const {network_mode: network, ...others} = before.values
    const {ports, expose} = service.values
    const ofNetwork = given({ports, expose, networks: {default: {aliases: hostsOfService(service)}}})
    const own = network === `service:${service.id}` ? mergedValues(ofNetwork, others) : before.values
    const {daprHTTPPort = 3500, daprGRPCPort = 50_001} = sidecar.keys
    const values = withoutPorts(mergedValues(needed, own), [daprHTTPPort, daprGRPCPort])
    rest.set(owner.id, {...before, values, sidecar})
    rest.delete(service.id)
    leftOut.set(service.id, owner.id)
  }
  if (leftOut.size > 0)
    for (const service of services.values())
      if (isPartOfDapr(service) && rest.delete(service.id)) leftOut.set(service.id, '')
  return {services: rest, leftOut}
}

/** `daprio/dapr` has all programs, `daprio/daprd` one. */
const isPartOfDapr = (service: Service): boolean =>
  /(?:^|\/)zipkin(?::|$)|dapr(?:io)?\/(?:placement|scheduler|sentry)(?::|$)/.test(textValue(service.values['image'])) ||
  /^(?:.*\/)?(?:placement|scheduler|sentry)$/.test(startWords(service)[0] ?? '')

type Flags = ReadonlyMap<string, readonly string[]>
/** The flags of daprd by their names, each with all of its values; undefined: the service is none. */
function daprdFlags(service: Service): Flags | undefined {
  const words = startWords(service)
  const isNamed = /(?:^|\/)daprd$/.test(words[0] ?? '')
  if (!isNamed && !/(?:^|\/)daprd(?:[:@]|$)/.test(textValue(service.values['image']))) return undefined
  const flags = new Map<string, readonly string[]>()
  for (const [index, word] of words.entries()) {
    const [, name, joined] = /^--?([a-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) continue
    const next = words[index + 1] ?? ''
    flags.set(name, [...(flags.get(name) ?? []), joined ?? (next.startsWith('-') ? '' : next)])
  }
  return flags
}

/** The service whose network it shares, which it calls, or which has the name of the app. */
const ownerId = ({values}: Service, flags: Flags): string =>
  /^service:(.*)$/.exec(textValue(values['network_mode']))?.[1] ??
  flags.get('app-channel-address')?.[0] ??
  flags.get('app-id')?.[0] ??
  ''

function sidecarOf(service: Service, flags: Flags, file: ImportedFile): ComposeSidecar {
  const notes: string[] = []
  const keys = emptyRecord<unknown>()
  for (const [flag, [value = '']] of flags) {
    const key = DAPRD_KEYS.get(flag)
    if (key !== undefined) keys[key] = typed(value)
    else if (!OTHER_FLAGS.test(flag)) notes.push(`${service.id}: -${flag} ${value} is not carried over`)
  }
  const hostPath = (path: string): readonly string[] => {
    const found = mountedFrom(path, service, file)
    if (found === undefined)
      notes.push(`${service.id}: ${path} is in the container alone: copy it out, and write its path here`)
    return found === undefined ? [] : [found]
  }
  return {
    appId: flags.get('app-id')?.[0] ?? '',
    keys,
    resources: ['resources-path', 'components-path'].flatMap(flag => (flags.get(flag) ?? []).flatMap(hostPath)),
    config: (flags.get('config') ?? []).flatMap(hostPath)[0],
    notes
  }
}

const typed = (text: string): unknown =>
  /^\d+$/.test(text) ? Number(text) : text === '' || text === 'true' ? true : text === 'false' ? false : text

/** The path on this machine of one in a container. */
export function mountedFrom(path: string, {values}: Service, file: ImportedFile): string | undefined {
  const absolute = isAbsolute(path) ? path : join('/', path)
  const mounts = boundMounts(values['volumes']).map(([source, target]) => [source, target.replace(/\/+$/, '')] as const)
  const [source = '', base] = mounts.find(([, target]) => `${absolute}/`.startsWith(`${target}/`)) ?? []
  return base === undefined ? undefined : join(pathFrom(file, source), absolute.slice(base.length))
}

/** Removes ports that the service publishes for its sidecar. */
function withoutPorts(values: Values, sidecarPorts: readonly unknown[]): Values {
  const {ports} = values
  if (!Array.isArray(ports)) return values
  const isOther = (port: unknown): boolean =>
    portsOf({id: '', values: {ports: [port]}, notes: []}).every(
      ({target}) => !sidecarPorts.map(String).includes(target)
    )
  return {...values, ports: ports.filter(isOther)}
}

/** Returns the apps with the flags of their sidecars, and with Dapr's ids. */
export function withSidecars(apps: readonly ImportedApp[], services: Stack['services']): readonly ImportedApp[] {
  const ids = new Map<string, string>()
  const taken = new Set(services.keys())
  for (const {id, sidecar: {appId} = {appId: ''}} of services.values()) {
    const isFree = appId !== '' && !appId.includes('${') && !taken.has(appId)
    if (isFree) taken.add(appId)
    ids.set(id, isFree ? appId : id)
  }
  const ports = [...services.values()].flatMap(({sidecar}) => Object.keys(OWN).map(key => sidecar?.keys[key]))
  const isShared = (port: unknown): boolean => ports.filter(each => each === port).length > 1
  return apps.map(app => {
    const {sidecar} = services.get(app.id) ?? {}
    const named = {...app, id: ids.get(app.id) ?? app.id, keys: withIds(app.keys, ids)}
    return sidecar === undefined ? named : withSidecar(named, sidecar, isShared)
  })
}

const withIds = (keys: Values, ids: ReadonlyMap<string, string>): Values => {
  const needed = Object.entries(mapOf(keys['dependsOn'])).map(([id, how]) => [ids.get(id) ?? id, how])
  const routes = Object.entries(mapOf(keys['routes'])).map(([path, id]) => [path, ids.get(textValue(id)) ?? id])
  return {
    ...keys,
    ...(needed.length > 0 && {dependsOn: Object.fromEntries(needed) as Values}),
    ...(routes.length > 0 && {routes: Object.fromEntries(routes) as Values})
  }
}

/** The ports of a sidecar, and the variables in which its app gets them. */
const OWN = {daprHTTPPort: 'DAPR_HTTP_PORT', daprGRPCPort: 'DAPR_GRPC_PORT'}

const CONTAINED =
  'its container finds its sidecar at localhost only in the network of this machine: write --network host --env DAPR_HTTP_PORT --env DAPR_GRPC_PORT in the place of --publish'

function withSidecar(app: ImportedApp, sidecar: ComposeSidecar, isShared: (port: unknown) => boolean): ImportedApp {
  const notes = [...app.notes, ...sidecar.notes]
  const shared = Object.entries(OWN).filter(([key]) => key in sidecar.keys && isShared(sidecar.keys[key]))
  for (const [key, variable] of shared)
    notes.push(
      `${key}: ${String(sidecar.keys[key])} is that of another sidecar, too: here each has its own, in ${variable}`
    )
  const own = Object.entries(sidecar.keys).filter(([key]) => shared.every(([each]) => each !== key))
  const {appPort} = sidecar.keys
  const at = app.published?.find(({text}) => text.endsWith(`:${String(appPort)}`))?.port
  if (app.published !== undefined) notes.push(CONTAINED + (at === undefined ? '' : `, and appPort: ${String(appPort)}`))
  const env = Object.entries(mapOf(app.keys['env'])).filter(([name]) => !Object.values(OWN).includes(name))
  return {
    ...app,
    keys: given({
      ...app.keys,
      env: Object.fromEntries(env),
      ...Object.fromEntries(own),
      ...given({appPort: at}),
      ...(sidecar.resources.length > 0 && {resourcesPaths: sidecar.resources.map(path => pathTo(path, app.folder))}),
      ...(sidecar.config !== undefined && {configFilePath: pathTo(sidecar.config, app.folder)})
    }),
    notes
  }
}
