import {faultText} from '../../files/resources/fault.ts'
import type {Field} from '../../files/resources/field.ts'

/** Where the resources go. */
export interface ResourceTarget {
  /** What an address on localhost means there. */
  readonly self: string
  /** What to name in its place. */
  readonly service: string
  /** What has a memory of its own. */
  readonly each: string
}

export const CLUSTER: ResourceTarget = {self: 'the pod itself', service: 'a Service of the cluster', each: 'pod'}
export const COMPOSE: ResourceTarget = {
  self: 'the container itself',
  service: 'a service of the compose file',
  each: 'app'
}

const warning = ({place}: Field, message: string, hint = ''): string => faultText({place, message, expected: '', hint})

/** An address that in a pod is the pod itself. */
const LOCAL_ADDRESS = /(?:^|[/@,;\s=(])(localhost|127\.0\.0\.1|\[::1\])(?=[:/,;\s)]|$)/i

/** Types whose data stays in one sidecar. */
const IN_MEMORY = new Set(['pubsub.in-memory', 'state.in-memory'])

/** What of a Component, or of an HTTPEndpoint, works on the laptop and not in a cluster. `all`: all resources that go there. */
export function componentWarnings(document: Field, all: readonly Field[]): readonly string[] {
  const what = nameOf(document)
  return [
    ...placeWarnings(document, CLUSTER),
    ...(document.field('kind').text() === 'Component'
      ? storeTypeWarnings(document.field('spec').field('type'), what)
      : []),
    ...storeWarnings(document, what, all)
  ]
}

const nameOf = (document: Field): string =>
  `${document.field('kind').text()} ${JSON.stringify(document.field('metadata').field('name').text())}`

/** Addresses and memory that are others in a container than on the laptop. */
export function placeWarnings(document: Field, {self, service, each}: ResourceTarget): readonly string[] {
  const isComponent = document.field('kind').text() === 'Component'
  const what = nameOf(document)
  const spec = document.field('spec')
  const properties = isComponent ? spec.field('metadata').items() : []
  const values = [...properties.map(item => item.field('value')), spec.field('baseUrl')]
  const type = textIn(spec.field('type'))
  return [
    ...values.flatMap(value => {
      const address = LOCAL_ADDRESS.exec(textIn(value))?.[1]
      return address === undefined ? [] : [warning(value, `${what}: ${address} is ${self}`, `name ${service}`)]
    }),
    ...(isComponent && IN_MEMORY.has(type)
      ? [warning(spec.field('type'), `${what}: each ${each} has its own ${type}`, 'use one that all share')]
      : [])
  ]
}

/** '' for what is no text. */
const textIn = (field: Field): string => {
  const value = field.plain()
  return typeof value === 'string' ? value : ''
}

function storeTypeWarnings(type: Field, what: string): readonly string[] {
  const text = textIn(type)
  return text.startsWith('secretstores.local.')
    ? [
        warning(
          type,
          `${what}: ${text} reads files and variables of the sidecar's container`,
          'use secretstores.kubernetes'
        )
      ]
    : []
}

/** Where `secretKeyRef` leads: without a name to the cluster's own Secrets. */
function storeWarnings(document: Field, what: string, all: readonly Field[]): readonly string[] {
  const store = document.field('auth').field('secretStore')
  const name = textIn(store)
  const refers = JSON.stringify(document.plain()).includes('"secretKeyRef"')
  const isThere = all.some(
    each => each.field('kind').text() === 'Component' && each.field('metadata').field('name').text() === name
  )
  if (!refers || name === '' || name === 'kubernetes' || isThere) return []
  return [warning(store, `${what}: the secret store ${JSON.stringify(name)} is not in the cluster`, 'write kubernetes')]
}

/** What of a Configuration means something else in a cluster. */
export function configurationWarnings(document: Field): readonly string[] {
  const what = nameOf(document)
  const resolution = document.field('spec').field('nameResolution').field('component')
  const resolver = textIn(resolution)
  const variable = /\$\{?[A-Za-z_]\w*\}?/.exec(JSON.stringify(document.plain()))?.[0]
  return [
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
