// Manifests of Kubernetes in the terms of a compose file: each workload is a service by the name at which others call it.
import {basename} from 'node:path'
import {pathTo, withTexts} from '../imported.ts'
import {podEnvironment, literalText, sidecarOf, podWords} from './pod.ts'
import {routesOf} from './routes.ts'
import {manifestKind, manifestName, templateOf, type Hosts, type ManifestObject, type Workload} from './objects.ts'
import {given, listedValues, mapOf, textValue, textsOf, type Values} from '../reading/yaml-file.ts'

/** How images are built, by their names without a tag. */
export type Builds = ReadonlyMap<string, ImageBuild>

/** Further keys as in compose's `build`. */
export type ImageBuild = Values & {readonly folder: string}

/** Services as in a compose file, and the unreadable parts of each. */
export interface ReadServices {
  readonly services: Readonly<Record<string, Values>>
  readonly notes: ReadonlyMap<string, readonly string[]>
  /** Notes on objects that are not apps. */
  readonly others: readonly string[]
}

/** Paths in the result count from `root`. */
export function servicesOf(objects: readonly ManifestObject[], builds: Builds, root: string): ReadServices {
  // also other kinds that make pods: a Rollout, a Service of Knative
  const found = objects.filter(each => listedValues(podOf(each)['containers']).length > 0)
  const {kept, left} = withoutAlternatives(found)
  const taken = new Set<string>()
  const workloads = kept.map(each => workloadOf(each, objects, taken))
  const hosts = new Map(workloads.toReversed().flatMap(each => each.hosts.map(name => [name, each] as const)))
  const services = workloads.flatMap(each => {
    const service = serviceOf(each, objects, {builds, root, hosts})
    const sidecar = sidecarOf(each, objects, root)
    return [[each.id, service] as const, ...(sidecar === undefined ? [] : [[`${each.id}-dapr`, sidecar] as const])]
  })
  const fronts = new Set(services.flatMap(([id, each]) => ('build' in each ? [id] : [])))
  const {routes, notes} = routesOf(objects, hosts, fronts)
  const routed = services.map(([id, each]) => [id, given({...each, 'x-routes': routes.get(id)})] as const)
  return {
    services: Object.fromEntries(routed),
    notes: new Map(workloads.map(each => [each.id, each.notes])),
    others: [...notes, ...left]
  }
}

/** Kinds that start a program again when it ends, and that other clusters have in place of each other. */
const LASTING = /^(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|Rollout|DeploymentConfig|Service)$/

const rankOf = (each: ManifestObject): number =>
  Number(/^(?:Deployment|StatefulSet|DaemonSet)$/.test(manifestKind(each)))

/** Of an object in several files the last counts; of a program with several kinds, the most usual one. */
function withoutAlternatives(all: readonly ManifestObject[]): {
  readonly kept: readonly ManifestObject[]
  readonly left: readonly string[]
} {
  const groups = Map.groupBy(all, each => `${LASTING.test(manifestKind(each))} ${manifestName(each)}`)
  const left: string[] = []
  const kept = Array.from(groups.values(), group => {
    const last = group.toSorted((a, b) => rankOf(a) - rankOf(b)).at(-1)
    const files = new Set(group.filter(each => each !== last).map(({file}) => file.shownAs))
    if (last !== undefined && files.size > 0)
      left.push(`${manifestName(last)}: as in ${last.file.shownAs}; left out: ${[...files].join(', ')}`)
    return last === undefined ? [] : [last]
  })
  return {kept: kept.flat(), left}
}

const podOf = (object: ManifestObject): Values => mapOf(templateOf(object)['spec'])

/** `taken`: the ids of those before: a Service may select several workloads, and two kinds may have one name. */
function workloadOf(object: ManifestObject, all: readonly ManifestObject[], taken: Set<string>): Workload {
  const [pod, labels] = [podOf(object), mapOf(mapOf(templateOf(object)['metadata'])['labels'])]
  const callers = all.filter(each => manifestKind(each) === 'Service' && selects(each.values, labels))
  const names = (callers.length > 0 ? callers : [object]).map(manifestName)
  const more = `${manifestName(object)}-${manifestKind(object).toLowerCase()}`
  const id = [...names, manifestName(object), more].find(name => !taken.has(name)) ?? `${more}-${taken.size}`
  taken.add(id)
  const targets = new Map(callers.flatMap(({values}) => portsOf(values, pod)))
  return {...object, id, pod, hosts: names, targets, notes: []}
}

const selects = (service: Values, labels: Values): boolean => {
  const wanted = Object.entries(mapOf(mapOf(service['spec'])['selector']))
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value)
}

/** The ports of a Service, each with that of the container to which it leads. */
function portsOf(service: Values, pod: Values): readonly (readonly [called: string, target: string])[] {
  const own = listedValues(pod['containers']).flatMap(each => listedValues(mapOf(each)['ports']).map(mapOf))
  return listedValues(mapOf(service['spec'])['ports']).map(each => {
    const {port, targetPort, protocol} = mapOf(each)
    const [called, wanted] = [textValue(port), textValue(targetPort) || textValue(port)]
    const named = own.find(({name}) => name === wanted) ?? own[0]
    const target = /^\d+$/.test(wanted) ? wanted : textValue(named?.['containerPort']) || called
    const end = protocol === 'UDP' ? '/udp' : ''
    return [called + end, target + end] as const
  })
}

interface Around {
  readonly builds: Builds
  readonly root: string
  readonly hosts: Hosts
}

/** A workload as a service of compose: its first container, or that which is built here. */
function serviceOf(workload: Workload, all: readonly ManifestObject[], around: Around): Values {
  const {pod, notes, file} = workload
  const containers = listedValues(pod['containers']).map(mapOf)
  const buildFor = (each: Values): ImageBuild | undefined => buildOf(textValue(each['image']), around.builds)
  const container = containers.find(each => buildFor(each) !== undefined) ?? containers[0] ?? {}
  const [kind, build] = [manifestKind(workload), buildFor(container)]
  notes.push(...leftOut(pod, containers, container).map(note => `${file.shownAs}: ${note}`))
  if (kind === 'CronJob') notes.push('CronJob: its schedule does not start it here: pillion start does')
  const environment = podEnvironment(workload, container, all, around.hosts)
  const words = (key: string): unknown => container[key] && podWords(textsOf(container[key]), environment, around.hosts)
  const grace = textValue(pod['terminationGracePeriodSeconds'])
  return given({
    build: build && buildKeys(build, around.root),
    image: container['image'],
    entrypoint: words('command'),
    command: words('args'),
    environment: withTexts(environment, literalText),
    ports: portsHere(workload, container, build !== undefined),
    restart: restartOf(kind, textValue(pod['restartPolicy'])),
    stop_grace_period: grace === '' ? undefined : `${grace}s`,
    profiles: kind === 'CronJob' ? ['cron'] : undefined
  })
}

function leftOut(pod: Values, containers: readonly Values[], container: Values): readonly string[] {
  const mounts = listedValues(container['volumeMounts']).map(each => textValue(mapOf(each)['mountPath']))
  const others = containers.filter(each => each !== container)
  return [
    ...others.map(each => `the container ${textValue(each['name'])} of its pod is left out`),
    ...listedValues(pod['initContainers']).map(each => `initContainers: ${textValue(mapOf(each)['name'])} is not run`),
    ...(mounts.length === 0 ? [] : [`volumeMounts: ${mounts.join(', ')}: not carried over`])
  ]
}

/** The ports in its container of its Services, else its own; of a program the first one. */
function portsHere({targets}: Workload, container: Values, isProgram: boolean): readonly string[] {
  const own = textValue(mapOf(listedValues(container['ports'])[0])['containerPort'])
  const all = targets.size > 0 ? [...new Set(targets.values())] : [own].filter(Boolean)
  return isProgram ? all.slice(0, 1) : all
}

/** As the pods of a workload start again. A Job starts pods until one succeeds. */
const restartOf = (kind: string, policy: string): string | undefined => {
  if (LASTING.test(kind) || (kind === 'Pod' && ['', 'Always'].includes(policy))) return 'always'
  return kind === 'Job' || (kind === 'Pod' && policy === 'OnFailure') ? 'on-failure' : undefined
}

/** A port of this machine that leads to a port of a workload, or of its Service. */
export type Forward = readonly [id: string, here: string, inside: string]

/** Services at their forwarded ports, and notes on those of workloads that have the names of their Services here. */
export function withForwards(
  services: ReadServices['services'],
  forwards: readonly Forward[]
): Pick<ReadServices, 'services'> & {readonly notes: string[]} {
  const [all, notes] = [new Map(Object.entries(services)), [] as string[]]
  for (const [id, here, inside] of forwards) {
    const ports = textsOf(all.get(id)?.['ports'])
    const own = ports.find(each => each === inside) ?? ports[0] ?? inside
    const target = own.replace(/.*:/, '')
    if (!all.has(id)) notes.push(`${id}: its forwarded port ${here}:${inside} is not carried over`)
    else all.set(id, {...all.get(id), ports: [`${here}:${target}`, ...ports.filter(each => each !== own)]})
  }
  return {services: Object.fromEntries(all), notes}
}

/** The `build` of a compose file. */
export const buildKeys = ({folder, args, ...more}: ImageBuild, root: string): Values =>
  given({context: pathTo(folder, root), ...more, args: withTexts(args, literalText)})

/** An image without its registry's tag or digest. */
export const imageName = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')

/** The build of an image by its name, or the last part of it: registries are added later. `./redis` is a folder, not that image. */
function buildOf(image: string, builds: Builds): ImageBuild | undefined {
  const name = imageName(image)
  const isOf = (each: string): boolean =>
    basename(imageName(each)) === basename(name) &&
    (name.includes('/') || !each.startsWith('./')) &&
    (image === name || imageName(each) === each || basename(each) === basename(image)) // a tag is another image
  return builds.get(image) ?? builds.get(name) ?? [...builds].find(([each]) => isOf(each))?.[1]
}
