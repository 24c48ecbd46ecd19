// The variables of a container in Kubernetes, with other workloads by the names and ports of compose, and its sidecar of Dapr.
import {relative} from 'node:path'
import {DAPRD_KEYS} from '../compose/dapr.ts'
import {isPair} from '../compose/addresses.ts'
import {emptyRecord, ownOf} from '../../../model/own.ts'
import {isMap, listedValues, mapOf, textValue, type Values} from '../reading/yaml-file.ts'
import {manifestKind, manifestName, templateOf, type Hosts, type ManifestObject, type Workload} from './objects.ts'

type Env = Readonly<Record<string, string>>

/** Variables of a container; parts that the manifests do not have are notes. */
export function podEnvironment(
  workload: Workload,
  container: Values,
  all: readonly ManifestObject[],
  hosts: Hosts
): Env {
  const env = emptyRecord<string>()
  const note = (text: string): unknown => workload.notes.push(`${workload.file.shownAs}: ${text}`)
  const inClear = new Set<string>()
  const dataOf = (kind: string, name: string): Env | undefined => {
    const data = mapData(kind, name, all)
    if (kind === 'Secret' && data !== undefined) inClear.add(name)
    return data
  }
  for (const from of listedValues(container['envFrom']).map(mapOf))
    for (const kind of ['ConfigMap', 'Secret']) {
      const name = textValue(mapOf(from[kind === 'Secret' ? 'secretRef' : 'configMapRef'])['name'])
      const data = name === '' ? {} : dataOf(kind, name)
      if (data === undefined) note(`envFrom: the ${kind} ${name} is in none of the manifests: write its variables`)
      for (const [each, value] of Object.entries(data ?? {})) env[`${textValue(from['prefix'])}${each}`] = value
    }
  for (const each of listedValues(container['env']).map(mapOf)) {
    const name = textValue(each['name'])
    const [[source, ref] = ['', {}]] = Object.entries(mapOf(each['valueFrom']))
    const kind = {configMapKeyRef: 'ConfigMap', secretKeyRef: 'Secret'}[source]
    const from = kind && ownOf(dataOf(kind, textValue(mapOf(ref)['name'])) ?? {}, textValue(mapOf(ref)['key']))
    const value = isMap(each['valueFrom']) ? from : expanded(textValue(each['value']), env)
    if (value !== undefined) env[name] = value
    else note(`env: ${name} comes from ${source} ${textValue(mapOf(ref)['name'])}: write it into env`)
  }
  const secrets = [...inClear].join(', ')
  if (secrets !== '')
    note(`env: the Secret ${secrets} is readable here: name a file of it as envFile if others get this`)
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, calledHere(name, value, env, hosts)]))
}

/** The data of a ConfigMap or a Secret; of several the last counts. */
function mapData(kind: string, name: string, all: readonly ManifestObject[]): Env | undefined {
  const found = all.filter(each => manifestKind(each) === kind && manifestName(each) === name).map(({values}) => values)
  const decoded = (text: string): string => (kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text)
  const pairs = found.flatMap(({data, stringData}) => [
    ...Object.entries(mapOf(data)).map(([key, each]) => [key, decoded(textValue(each))] as const),
    ...Object.entries(mapOf(stringData)).map(([key, each]) => [key, textValue(each)] as const)
  ])
  return found.length === 0 ? undefined : Object.fromEntries(pairs)
}

/** A value with the names and ports of containers; `DB_PORT` next to `DB_HOST` is a port of that Service. */
function calledHere(name: string, value: string, env: Env, hosts: Hosts): string {
  const host = Object.keys(env).find(each => isPair(name, each)) ?? ''
  return hosts.get(env[host] ?? '')?.targets.get(value) ?? shortNames(value, hosts)
}

const NAME =
  /(?<![\w.-])(http:\/\/)?([a-z][a-z0-9-]*)(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?(?::(\d+)(?![\w.:-]|[^/\s,]*@)|(?=[/?,]|$))/g

/** `api.shop.svc.cluster.local:80` is `api:8080` where there is such a service, and its container listens there. */
const shortNames = (value: string, hosts: Hosts): string =>
  value.replaceAll(NAME, (whole, scheme: string | undefined, host: string, port: string | undefined) => {
    const found = hosts.get(host)
    if (found === undefined) return whole
    const target = found.targets.get(port ?? (scheme === undefined ? '' : '80')) ?? port
    return `${scheme ?? ''}${found.id}${target === undefined || (port === undefined && target === '80') ? '' : `:${target}`}`
  })

/** Words of a command with the variables that Kubernetes replaces in them. */
export const podWords = (words: readonly string[], env: Env, hosts: Hosts): readonly string[] =>
  words.map(word => literalText(shortNames(expanded(word, env), hosts)))

/** `$(NAME)` is the value of a variable that is known, and `$$` one dollar. */
const expanded = (text: string, env: Env): string =>
  text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name?: string) =>
    whole === '$$' ? '$' : (ownOf(env, name ?? '') ?? whole)
  )

/** A dollar means nothing else in a manifest. */
export const literalText = (text: string): string => text.replaceAll('$', () => '$$')

/** Kinds that a sidecar of Dapr reads from its folders. */
const RESOURCES = /^(?:Component|HTTPEndpoint|Resiliency|Subscription)$/

/** Others have kinds of these names, too. */
const isOfDapr = ({values}: ManifestObject): boolean => /^(?:dapr\.io\/|$)/.test(textValue(values['apiVersion']))

/** The container of a workload's sidecar; undefined if it has none. Paths count from `root`. */
export function sidecarOf(workload: Workload, all: readonly ManifestObject[], root: string): Values | undefined {
  const annotations = mapOf(mapOf(templateOf(workload)['metadata'])['annotations'])
  const flag = (name: string): string => textValue(annotations[`dapr.io/${name}`])
  if (flag('enabled') !== 'true') return undefined
  const ofDapr = all.filter(isOfDapr)
  const resources = ofDapr.filter(each => RESOURCES.test(manifestKind(each)))
  const folders = [...new Set(resources.map(({file}) => relative(root, file.path).replace(/[^/]*$/, '')))]
  const config = ofDapr.find(each => manifestKind(each) === 'Configuration' && manifestName(each) === flag('config'))
  if (config === undefined && flag('config') !== '')
    workload.notes.push(`dapr.io/config: the Configuration ${flag('config')} is in none of the manifests`)
  const flags = ['app-id', ...DAPRD_KEYS.keys()].flatMap(name => (flag(name) === '' ? [] : [`-${name}`, flag(name)]))
  const places = folders.flatMap((_, index) => ['-resources-path', `/components/${index}`])
  const mounts = folders.map((folder, index) => `./${folder}:/components/${index}`)
  const file = config === undefined ? [] : [`./${relative(root, config.file.path)}:/config.yaml`]
  return {
    image: 'daprio/daprd',
    network_mode: `service:${workload.id}`,
    command: ['./daprd', ...flags, ...places, ...(config === undefined ? [] : ['-config', '/config.yaml'])],
    volumes: [...mounts, ...file]
  }
}
