// Manifests of Kubernetes in the terms of a compose file: each workload is a service by the name at which others call it.
import {basename, relative} from 'node:path'
import {DAPRD_KEYS} from '../compose/dapr.ts'
import {isPair} from '../compose/environment.ts'
import {freeFrom} from '../compose/ports.ts'
import {usualPort} from '../compose/service.ts'
import {pathTo, withTexts, type ImportedFile} from '../imported.ts'
import {routesOf} from './routes.ts'
import {
  servicePorts,
  shortNames,
  type KnownHost,
  type KnownHosts,
  type ServicePort,
  type ManifestObject
} from './service-ports.ts'
import {given, isMap, listedValues, mapOf, textValue, textsOf, type Values} from '../reading/yaml-file.ts'
import {emptyRecord, ownOf} from '../../../model/own.ts'

/** How images are built, by their names without a tag. */
export type Builds = ReadonlyMap<string, ImageBuild>

/** Further keys as in compose's `build`. */
export type ImageBuild = Values & {readonly folder: string}

/** Services as in a compose file, and the unreadable parts of each. */
export interface ReadServices {
  readonly services: Readonly<Record<string, Values>>
  readonly notes: ReadonlyMap<string, readonly string[]>
  /** The manifest of each. */
  readonly files: ReadonlyMap<string, ImportedFile>
  /** Notes on objects that are not apps. */
  readonly others: readonly string[]
}

/** Kinds that a sidecar of Dapr reads from its folders. */
const RESOURCES = new Set(['Component', 'HTTPEndpoint', 'Resiliency', 'Subscription'])
/** Others have kinds of these names, too. */
const isOfDapr = ({values}: ManifestObject): boolean => /^(?:dapr\.io\/|$)/.test(textValue(values['apiVersion']))

/** Paths in the result count from `root`. */
export function servicesOf(objects: readonly ManifestObject[], builds: Builds, root: string): ReadServices {
  // also other kinds that make pods: a Rollout, a Service of Knative
  const found = objects.filter(({values}) => listedValues(mapOf(podTemplate(values)['spec'])['containers']).length > 0)
  const {kept, left: alternatives} = withoutAlternatives(found)
  const taken = new Set<string>()
  const workloads = kept.map(each => new Workload(each, objects, taken))
  // a shared name belongs to the first
  const names = new Map(workloads.toReversed().flatMap(each => each.hosts))
  const resources = objects.filter(each => isOfDapr(each) && RESOURCES.has(textValue(each.values['kind'])))
  const components = resources.map(({file}) => file.path)
  const published = {'': new Set<number>(), '/udp': new Set<number>()}
  const services = workloads.flatMap(each => each.services({builds, names, root, components, published}))
  const fronts = new Set(services.flatMap(([id, each]) => ('build' in each ? [id] : [])))
  const {routes, notes: left} = routesOf(objects, names, fronts)
  const routed = services.map(([id, each]) => [id, given({...each, 'x-routes': routes.get(id)})] as const)
  return {
    services: withServers(routed),
    notes: new Map(workloads.map(({id, notes}) => [id, notes])),
    files: new Map(workloads.map(({id, file}) => [id, file])),
    others: [...left, ...alternatives]
  }
}

/** Kinds that start a program again when it ends, and that other clusters have in place of each other. */
const LASTING = /^(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|Rollout|DeploymentConfig|Service)$/

const kindOf = ({values}: ManifestObject): string => textValue(values['kind'])

/** Of an object in several files the last counts; of a program that files for several clusters have by one name, the most usual kind. */
function withoutAlternatives(all: readonly ManifestObject[]): {
  readonly kept: readonly ManifestObject[]
  readonly left: readonly string[]
} {
  const groups = Map.groupBy(all, each => {
    const kind = LASTING.test(kindOf(each)) ? 'lasting' : kindOf(each)
    return `${kind} ${namespaceOf(each.values)} ${nameOf(each.values)}`
  })
  const left: string[] = []
  const kept = Array.from(groups.values(), group => {
    const [first = ''] = group.map(kindOf).toSorted((a, b) => rankOf(a) - rankOf(b))
    const own = group.filter(each => kindOf(each) === first)
    const last = own.at(-1)
    const isOneFile = (each: ManifestObject): boolean => each.file.path === last?.file.path
    // two kinds in one file are two programs
    const others = group.filter(each => kindOf(each) !== first && isOneFile(each))
    const files = new Set(group.filter(each => !isOneFile(each)).map(({file}) => file.shownAs))
    if (last !== undefined && files.size > 0)
      left.push(`${nameOf(last.values)}: as in ${last.file.shownAs}; left out: ${[...files].join(', ')}`)
    return [...(last === undefined ? [] : [last]), ...others]
  })
  return {kept: kept.flat(), left}
}

/** The kinds of Kubernetes itself come first. */
const rankOf = (kind: string): number => Number(!/^(?:Deployment|StatefulSet|DaemonSet)$/.test(kind))

/** As the pods of a workload start again. A Job starts pods until one succeeds. */
const restartOf = (kind: string, policy: string): string | undefined => {
  if (LASTING.test(kind)) return 'always'
  if (kind === 'Job') return 'on-failure'
  return kind === 'Pod' ? {'': 'always', Always: 'always', OnFailure: 'on-failure'}[policy] : undefined
}

/** Whether a service is a database or a broker by its image. */
const isServer = (values: Values): boolean => !('build' in values) && usualPort({id: '', values, notes: []}) > MAIL_PORT
/** Web servers and traps for mail have lower ports. */
const MAIL_PORT = 1025

/** A program waits for the servers that its variables name: pods have no order, and start again until they find these. */
function withServers(services: readonly (readonly [string, Values])[]): Readonly<Record<string, Values>> {
  const servers = services.filter(([, each]) => isServer(each)).map(([id]) => id)
  return Object.fromEntries(
    services.map(([id, each]) => {
      const texts = isServer(each) ? [] : Object.values(mapOf(each['environment'])).map(textValue)
      const named = servers.filter(name => texts.some(text => hostsIn(text).includes(name)))
      const needs = named.map(name => [name, {condition: 'service_healthy'}] as const)
      return [id, needs.length === 0 ? each : {...each, depends_on: Object.fromEntries(needs)}]
    })
  )
}

const hostsIn = (text: string): readonly string[] =>
  Array.from(text.matchAll(/(?:^|[/@=,;\s])([\w-]+)(?=$|[:/,;?])/g), ([, name = '']) => name)

interface Around {
  readonly builds: Builds
  readonly names: KnownHosts
  readonly root: string
  /** Numbers of this machine at which containers are called: TCP and UDP have their own. */
  readonly published: Readonly<Record<ServicePort['end'], Set<number>>>
  /** Files with resources of Dapr. */
  readonly components: readonly string[]
}

const nameOf = ({metadata}: Values): string =>
  textValue(mapOf(metadata)['name']) || textValue(mapOf(metadata)['generateName']).replace(/-+$/, '')
const namespaceOf = (object: Values): string => textValue(mapOf(object['metadata'])['namespace']) || 'default'

/** The `build` of a compose file. */
const buildKeys = ({folder, args, entrypoint: _entrypoint, ...more}: ImageBuild, root: string): Values =>
  given({context: pathTo(folder, root), ...more, args: withTexts(args, literal)})

/** An image without its registry's tag or digest. */
export const imageName = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')

/** Images that are built, and that none of these services runs, as services by themselves, by the last parts of their names. */
export function imagesAlone(builds: Builds, services: Values, root: string): readonly (readonly [string, Values])[] {
  const run = new Set(Object.values(services).map(each => buildFor(textValue(mapOf(each)['image']), builds)))
  const taken = new Set(Object.keys(services))
  return [...builds].flatMap(([image, build]) => {
    if (run.has(build)) return []
    const [name, last] = [imageName(image), basename(imageName(image))]
    const wanted = taken.has(last) ? name.replaceAll('/', '-') : last
    const id = taken.has(wanted) ? `${wanted}-${taken.size}` : wanted
    taken.add(id)
    return [[id, {image: name, build: buildKeys(build, root)}] as const]
  })
}

class Workload {
  readonly id: string
  /** All names at which it is called. */
  readonly hosts: readonly (readonly [name: string, KnownHost])[]
  readonly notes: string[] = []
  readonly file: ImportedFile
  readonly #object: ManifestObject
  readonly #all: readonly ManifestObject[]
  readonly #pod: Values
  readonly #annotations: Values
  readonly #callers: readonly Values[]
  /** Secrets whose values are in its environment. */
  readonly #inClear = new Set<string>()

  /** `taken`: the ids of those before: a Service may select several workloads, and two kinds or namespaces may have one name. */
  constructor(object: ManifestObject, all: readonly ManifestObject[], taken: Set<string>) {
    const {values} = object
    const template = podTemplate(values)
    const labels = mapOf(mapOf(template['metadata'])['labels'])
    this.#object = object
    this.file = object.file
    this.#all = all
    this.#pod = mapOf(template['spec'])
    this.#annotations = mapOf(mapOf(template['metadata'])['annotations'])
    const services = all.map(each => each.values).filter(each => each['kind'] === 'Service')
    this.#callers = services.filter(each => selects(each, labels, values))
    const names = this.#callers.length > 0 ? this.#callers.map(nameOf) : [nameOf(values)]
    const more = `${nameOf(values)}-${textValue(values['kind']).toLowerCase()}`
    this.id = [...names, nameOf(values), more].find(name => !taken.has(name)) ?? `${more}-${namespaceOf(values)}`
    taken.add(this.id)
    this.hosts = names.map((name, at) => [name, {id: this.id, ports: servicePorts(this.#callers[at] ?? {}, this.#pod)}])
  }

  /** The service, and the one of its sidecar of Dapr. */
  services(around: Around): readonly (readonly [string, Values])[] {
    const containers = listedValues(this.#pod['containers']).map(mapOf)
    const isBuilt = (each: Values): boolean => buildFor(textValue(each['image']), around.builds) !== undefined
    const container = containers.find(isBuilt) ?? containers[0]
    if (container === undefined) return []
    const image = textValue(container['image'])
    const build = buildFor(image, around.builds)
    for (const other of containers)
      if (other !== container) this.#note(`the container ${textValue(other['name'])} of its pod is left out`)
    for (const other of listedValues(this.#pod['initContainers']))
      this.#note(`initContainers: ${textValue(mapOf(other)['name'])} is not run before it`)
    const kind = textValue(this.#object.values['kind'])
    if (kind === 'CronJob')
      this.#note('CronJob: its schedule does not start it here: pillion start does, or --profile cron')
    const mounts = listedValues(container['volumeMounts']).map(each => textValue(mapOf(each)['mountPath']))
    if (mounts.length > 0) this.#note(`volumeMounts: ${mounts.join(', ')} is not carried over`)
    const environment = this.#environment(container, around.names)
    const ports = this.#ports(container)
    const published = (build === undefined ? ports : []).map(({target, called, end}) => {
      const port = freeFrom(Number(called), around.published[end])
      around.published[end].add(port)
      return `${port}:${target}${end}`
    })
    const words = (key: string): readonly string[] =>
      textsOf(container[key]).map(word => literal(shortNames(expanded(word, environment), around.names)))
    const grace = textValue(this.#pod['terminationGracePeriodSeconds'])
    const service = given({
      build: build && buildKeys(build, around.root),
      image,
      entrypoint: build?.['entrypoint'] ?? (container['command'] === undefined ? undefined : words('command')),
      command: container['args'] === undefined ? undefined : words('args'),
      environment: Object.keys(environment).length === 0 ? undefined : withTexts(environment, literal),
      ports: ports[0] && (build ? [ports[0].target] : published),
      restart: restartOf(kind, textValue(this.#pod['restartPolicy'])),
      stop_grace_period: grace === '' ? undefined : `${grace}s`,
      profiles: kind === 'CronJob' ? ['cron'] : undefined
    })
    return [[this.id, service], ...this.#sidecar(around)]
  }

  #note(text: string): void {
    this.notes.push(`${this.file.shownAs}: ${text}`)
  }

  /** Returns the ports of its Services, each once, or the port that its container names. */
  #ports(container: Values): readonly ServicePort[] {
    const all = this.hosts.flatMap(([, {ports}]) => ports)
    const own = textValue(mapOf(listedValues(container['ports'])[0])['containerPort'])
    if (all.length === 0) return own === '' ? [] : [{target: own, called: own, end: ''}]
    return all.filter(({target, end}, at) => all.findIndex(each => each.target === target && each.end === end) === at)
  }

  #environment(container: Values, names: KnownHosts): Readonly<Record<string, string>> {
    const env = emptyRecord<string>()
    for (const from of listedValues(container['envFrom']).map(mapOf))
      for (const kind of ['ConfigMap', 'Secret'] as const) {
        const name = textValue(mapOf(from[kind === 'Secret' ? 'secretRef' : 'configMapRef'])['name'])
        if (name === '') continue
        const data = this.#dataOf(kind, name)
        if (data === undefined)
          this.#note(`envFrom: the ${kind} ${name} is in none of the manifests: write its variables into env`)
        for (const [each, value] of Object.entries(data ?? {})) env[`${textValue(from['prefix'])}${each}`] = value
      }
    for (const each of listedValues(container['env']).map(mapOf)) {
      const value = this.#valueOf(each)
      const name = textValue(each['name'])
      if (value === undefined)
        this.#note(`env: ${name} comes from ${source(each)}, which is in none of the manifests: write it into env`)
      else env[name] = isMap(each['valueFrom']) ? value : expanded(value, env)
    }
    if (this.#inClear.size > 0)
      this.#note(
        `env: what the Secret ${[...this.#inClear].join(', ')} contains is readable here: name a file of it as envFile if others get this one`
      )
    return Object.fromEntries(
      Object.entries(env).map(([name, value]) => {
        // `DB_PORT` next to `DB_HOST` is a port of that Service
        const host = Object.keys(env).find(each => isPair(name, each))
        const found = names.get(shortNames(env[host ?? ''] ?? '', names))
        const target = found?.ports.find(({called}) => called === value)?.target
        return [name, target ?? shortNames(value, names)]
      })
    )
  }

  #valueOf({value, valueFrom}: Values): string | undefined {
    if (!isMap(valueFrom)) return textValue(value)
    const {configMapKeyRef, secretKeyRef, fieldRef} = valueFrom
    const field = textValue(mapOf(fieldRef)['fieldPath'])
    if (field !== '') return ownOf({'metadata.name': this.id, 'metadata.namespace': 'default'}, field) ?? '127.0.0.1'
    const from = mapOf(configMapKeyRef ?? secretKeyRef)
    const data = this.#dataOf(configMapKeyRef === undefined ? 'Secret' : 'ConfigMap', textValue(from['name']))
    return ownOf(data ?? {}, textValue(from['key']))
  }

  #dataOf(kind: 'ConfigMap' | 'Secret', name: string): Readonly<Record<string, string>> | undefined {
    const named = this.#all.map(({values}) => values).filter(each => each['kind'] === kind && nameOf(each) === name)
    const own = named.filter(each => namespaceOf(each) === namespaceOf(this.#object.values))
    const decode = (text: string): string => (kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text)
    // an overlay comes behind its base
    const pairs = (own.length > 0 ? own : named).flatMap(({data, stringData}) => [
      ...Object.entries(mapOf(data)).map(([key, each]) => [key, decode(textValue(each))] as const),
      ...Object.entries(mapOf(stringData)).map(([key, each]) => [key, textValue(each)] as const)
    ])
    if (kind === 'Secret' && pairs.length > 0) this.#inClear.add(name)
    return named.length === 0 ? undefined : Object.fromEntries(pairs)
  }

  /** Dapr's annotations, as the container that a compose file has for the sidecar. */
  #sidecar({components, root}: Around): readonly (readonly [string, Values])[] {
    const flag = (name: string): string => textValue(this.#annotations[`dapr.io/${name}`])
    if (flag('enabled') !== 'true') return []
    const folders = [...new Set(components.map(path => relative(root, path).replace(/[^/]*$/, '')))]
    const config = this.#all.find(
      each => isOfDapr(each) && each.values['kind'] === 'Configuration' && nameOf(each.values) === flag('config')
    )?.file.path
    if (config === undefined && flag('config') !== '')
      this.#note(`dapr.io/config: the Configuration ${flag('config')} is in none of the manifests`)
    const flags = ['app-id', ...DAPRD_KEYS.keys()].flatMap(name => (flag(name) === '' ? [] : [`-${name}`, flag(name)]))
    const command = [...flags, ...folders.flatMap((_, index) => ['-resources-path', `/components/${index}`])]
    const volumes = folders.map((folder, index) => `./${folder}:/components/${index}`)
    if (config !== undefined) command.push('-config', '/config.yaml')
    if (config !== undefined) volumes.push(`./${relative(root, config)}:/config.yaml`)
    const network = `service:${this.id}`
    return [
      [`${this.id}-dapr`, {image: 'daprio/daprd', network_mode: network, command: ['./daprd', ...command], volumes}]
    ]
  }
}

/** The template of a workload's pods: a pod itself, that of a schedule's job, or that of any other kind. */
function podTemplate(object: Values): Values {
  const spec = mapOf(object['spec'])
  if (object['kind'] === 'Pod') return object
  return mapOf((object['kind'] === 'CronJob' ? mapOf(mapOf(spec['jobTemplate'])['spec']) : spec)['template'])
}

/** Whether a Service selects the pods of a workload, which have these labels; one of both may not say its namespace. */
function selects(service: Values, labels: Values, workload: Values): boolean {
  const namespaces = new Set([namespaceOf(service), namespaceOf(workload), 'default'])
  const wanted = Object.entries(mapOf(mapOf(service['spec'])['selector']))
  return namespaces.size < 3 && wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value)
}

/** The build of an image by its name, or the last part of it: registries are added later. `./redis` is a folder, not that image. */
function buildFor(image: string, builds: Builds): ImageBuild | undefined {
  const name = imageName(image)
  const isOf = (each: string): boolean =>
    basename(imageName(each)) === basename(name) &&
    (name.includes('/') || !each.startsWith('./')) &&
    (image === name || imageName(each) === each || basename(each) === basename(image)) // a tag is another image
  return builds.get(image) ?? builds.get(name) ?? [...builds].find(([each]) => isOf(each))?.[1]
}

/** `$(NAME)` is the value of a variable that is known, and `$$` one dollar. */
const expanded = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name?: string) =>
    whole === '$$' ? '$' : (ownOf(env, name ?? '') ?? whole)
  )

/** A dollar means nothing else in a manifest. */
const literal = (text: string): string => text.replaceAll('$', () => '$$')

const source = ({valueFrom}: Values): string => {
  const [[kind, from] = ['', {}]] = Object.entries(mapOf(valueFrom))
  return `${kind.replace(/(?:Key)?Ref$/, '')} ${textValue(mapOf(from)['name'])}`.trim()
}
