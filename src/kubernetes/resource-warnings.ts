import {faultText} from '../resources/fault.ts'
import type {Field} from '../resources/field.ts'

const warning = ({place}: Field, message: string, hint = ''): string => faultText({place, message, expected: '', hint})

/** An address that in a pod is the pod itself. */
const LOCAL_ADDRESS = /(?:^|[/@,;\s=(])(localhost|127\.0\.0\.1|\[::1\])(?=[:/,;\s)]|$)/i

/** Types whose data stays in one sidecar. */
const IN_MEMORY = new Set(['pubsub.in-memory', 'state.in-memory'])

/** What of a Component, or of an HTTPEndpoint, works on the laptop and not in a cluster. `all`: all resources that go there. */
export function componentWarnings(document: Field, all: readonly Field[]): readonly string[] {
  const kind = document.field('kind').text()
  const name = document.field('metadata').field('name').text()
  const spec = document.field('spec')
  const what = `${kind} ${JSON.stringify(name)}`
  const values = [
    ...(kind === 'Component'
      ? spec
          .field('metadata')
          .items()
          .map(item => item.field('value'))
      : []),
    spec.field('baseUrl')
  ]
  return [
    ...values.flatMap(value => {
      const text = textIn(value)
      const address = LOCAL_ADDRESS.exec(text)?.[1]
      return address === undefined
        ? []
        : [warning(value, `${what}: ${address} is the pod itself`, 'name a Service of the cluster')]
    }),
    ...(kind === 'Component' ? typeWarnings(spec.field('type'), what) : []),
    ...storeWarnings(document, what, all)
  ]
}

/** '' for what is no text. */
const textIn = (field: Field): string => {
  const value = field.plain()
  return typeof value === 'string' ? value : ''
}

function typeWarnings(type: Field, what: string): readonly string[] {
  const text = textIn(type)
  if (text.startsWith('secretstores.local.'))
    return [
      warning(
        type,
        `${what}: ${text} reads files and variables of the sidecar's container`,
        'use secretstores.kubernetes'
      )
    ]
  return IN_MEMORY.has(text)
    ? [warning(type, `${what}: each pod has its own ${text}`, 'use one that all pods share')]
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
  const what = `Configuration ${JSON.stringify(document.field('metadata').field('name').text())}`
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
