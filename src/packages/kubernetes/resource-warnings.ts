import {faultText} from '../../files/resources/fault.ts'
import type {Field} from '../../files/resources/field.ts'
import {ownOf} from '../../model/own.ts'

/** Words about the target of an export: the meaning of localhost there, its replacement, the unit with its own memory, advice for a local secret store. */
export const CLUSTER = {
  self: 'the pod itself',
  service: 'a Service of the cluster',
  each: 'pod',
  store: 'use secretstores.kubernetes'
}
export type ResourceTarget = typeof CLUSTER
export const COMPOSE: ResourceTarget = {
  self: 'the container itself',
  service: 'a service of the compose file',
  each: 'app',
  store: 'mount the file there, or use the store of a server'
}

const warning = ({place}: Field, message: string, hint = ''): string => faultText({place, message, expected: '', hint})

/** An address that means the laptop in a run, and the pod or container itself after an export. */
const LOCAL_ADDRESS = /(?:^|[/@,;\s=(])(localhost|127\.0\.0\.1|\[::1\])(?=[:/,;\s)]|$)/i

/** Types with data in the memory of one sidecar. */
const IN_MEMORY = new Set(['pubsub.in-memory', 'state.in-memory'])

/** Types with data in a file or folder at the sidecar, by the properties that name it. */
const IN_FILES: Readonly<Record<string, readonly string[]>> = {
  'state.sqlite': ['connectionString'],
  'bindings.localstorage': ['rootPath'],
  'crypto.dapr.localstorage': ['path']
}

/** Warns about a Component or HTTPEndpoint that works on the laptop but not in a cluster. `all`: all exported resources. */
export const componentWarnings = (document: Field, all: readonly Field[]): readonly string[] => [
  ...placeWarnings(document, CLUSTER),
  ...storeWarnings(document, all)
]

const nameOf = (document: Field): string =>
  `${document.field('kind').text()} ${JSON.stringify(document.field('metadata').field('name').text())}`

/** Warns of addresses, memory and files that a container has for itself, and not the laptop's. */
export function placeWarnings(document: Field, target: ResourceTarget): readonly string[] {
  const {self, service, each} = target
  const kind = document.field('kind').text()
  const isComponent = kind === 'Component'
  const what = nameOf(document)
  const spec = document.field('spec')
  const properties = isComponent ? spec.field('metadata').items() : []
  const tracing = spec.field('tracing')
  const values = [
    ...properties.map(item => item.field('value')),
    spec.field('baseUrl'),
    tracing.field('zipkin').field('endpointAddress'),
    tracing.field('otel').field('endpointAddress')
  ]
  const type = textIn(spec.field('type'))
  return [
    ...values.flatMap(value => {
      const address = LOCAL_ADDRESS.exec(textIn(value))?.[1]
      return address === undefined ? [] : [warning(value, `${what}: ${address} is ${self}`, `name ${service}`)]
    }),
    ...(isComponent && IN_MEMORY.has(type)
      ? [warning(spec.field('type'), `${what}: each ${each} has its own ${type}`, 'use one that all share')]
      : []),
    ...(isComponent ? fileWarnings(spec.field('type'), properties, what, target) : [])
  ]
}

/** Returns the text of a field; empty for other types. */
const textIn = (field: Field): string => {
  const value = field.plain()
  return typeof value === 'string' ? value : ''
}

const isFile = (path: string): boolean => path !== '' && !/:memory:|mode=memory/.test(path)

/** Warnings about files that a component reads or writes in the sidecar's container. */
function fileWarnings(
  type: Field,
  properties: readonly Field[],
  what: string,
  {store}: ResourceTarget
): readonly string[] {
  const text = textIn(type)
  if (text.startsWith('secretstores.local.'))
    return [warning(type, `${what}: ${text} reads files and variables of the sidecar's container`, store)]
  const names = ownOf(IN_FILES, text) ?? []
  return properties
    .filter(item => names.includes(item.field('name').text()) && isFile(textIn(item.field('value'))))
    .map(item =>
      warning(
        item.field('value'),
        `${what}: ${text} has its files in the sidecar's container`,
        'mount a volume there, or use a type with a server'
      )
    )
}

/** Checks the store of `secretKeyRef`, by default the cluster's own Secrets. */
function storeWarnings(document: Field, all: readonly Field[]): readonly string[] {
  const store = document.field('auth').field('secretStore')
  const name = textIn(store)
  const refers = JSON.stringify(document.plain()).includes('"secretKeyRef"')
  const isThere = all.some(
    each => each.field('kind').text() === 'Component' && each.field('metadata').field('name').text() === name
  )
  if (!refers || name === '' || name === 'kubernetes' || isThere) return []
  return [
    warning(
      store,
      `${nameOf(document)}: the secret store ${JSON.stringify(name)} is not in the cluster`,
      'write kubernetes'
    )
  ]
}

/** Warns of an object that is not Dapr's: the export leaves it out, as no sidecar reads it. */
export function foreignWarnings(document: Field): readonly string[] {
  const kind = document.isMapping ? textIn(document.field('kind')) : ''
  if (kind === '' || textIn(document.field('apiVersion')).startsWith('dapr.io/')) return []
  return [
    warning(document.field('kind'), `${nameOf(document)} is left out: it is no resource of Dapr`, 'apply it yourself')
  ]
}

/** Warns of callers that an access policy allows in a namespace other than that of the apps. */
function policyWarnings(document: Field, what: string, namespace: string): readonly string[] {
  const policies = document.field('spec').field('accessControl').field('policies').items()
  return policies.flatMap(policy => {
    const field = policy.field('namespace')
    const [app, named] = [textIn(policy.field('appId')), textIn(field)]
    if (named === '' || namespace === '' || named === namespace) return []
    const message = `${what}: a policy is for "${app}" of the namespace "${named}", and the apps go to "${namespace}"`
    return [warning(field, message, `write ${namespace}, or calls of "${app}" are refused`)]
  })
}

/** Warns about a Configuration that has a different meaning in a cluster. `namespace`: that of the apps. */
export function configurationWarnings(document: Field, namespace: string): readonly string[] {
  const what = nameOf(document)
  const resolution = document.field('spec').field('nameResolution').field('component')
  const resolver = textIn(resolution)
  const variable = /\$\{?[A-Za-z_]\w*\}?/.exec(JSON.stringify(document.plain()))?.[0]
  return [
    ...placeWarnings(document, CLUSTER),
    ...policyWarnings(document, what, namespace),
    ...(resolver === '' || resolver === 'kubernetes'
      ? []
      : [
          warning(resolution, `${what}: names are not resolved by ${resolver} in a cluster`, 'leave nameResolution out')
        ]),
    ...(variable === undefined
      ? []
      : [warning(document, `${what}: ${variable} is not replaced in a cluster`, 'write the value')])
  ]
}
