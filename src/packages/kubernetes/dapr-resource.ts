import type {Field} from '../../files/resources/field.ts'
import type {KubernetesObject} from './object.ts'

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (field: Field): Fields =>
  Object.fromEntries([...field.entries()].map(([name, each]) => [name, each.plain()]))

const textsOf = (field: Field): Readonly<Record<string, string>> =>
  Object.fromEntries([...field.entries()].map(([name, each]) => [name, each.text()]))

/**
 * Returns a resource of Dapr as an object: the file's content in its order, with our labels. `namespace`: '': that of the context.
 * `scopes`: ids of the allowed apps; undefined: all.
 */
export function daprResource(
  document: Field,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  scopes: readonly string[] | undefined
): KubernetesObject {
  const {apiVersion, kind, metadata: _metadata, scopes: _scopes, auth: _auth, ...rest} = fieldsOf(document)
  const auth = document.field('auth')
  const meta = document.field('metadata')
  const annotations = meta.field('annotations')
  return {
    apiVersion: String(apiVersion),
    kind: String(kind),
    metadata: {
      name: meta.field('name').text(),
      ...(namespace !== '' && {namespace}),
      labels: {...textsOf(meta.field('labels')), ...labels},
      ...(!annotations.isAbsent && {annotations: textsOf(annotations)})
    },
    ...rest,
    ...(kind === 'Component' && {spec: componentSpec(document.field('spec'))}),
    ...(!auth.isAbsent && {auth: {...fieldsOf(auth), ...textsIn(auth, ['secretStore'])}}),
    ...(scopes !== undefined && scopes.length > 0 && {scopes})
  }
}

/** Adds fields that the cluster's definition requires, but a sidecar on the laptop does not: `metadata`, `version`, and values as texts. */
function componentSpec(spec: Field): Fields {
  const {metadata: _, ...rest} = fieldsOf(spec)
  return {
    ...rest,
    ...textsIn(spec, ['type', 'version', 'initTimeout']),
    ...(spec.field('version').isAbsent && {version: 'v1'}),
    metadata: spec.field('metadata').items().map(propertyOf)
  }
}

/** Returns a property of a component. A number becomes the text that a sidecar on the laptop reads. */
function propertyOf(property: Field): Fields {
  const plain = fieldsOf(property)
  const {value} = plain
  const text = property.field('value').isAbsent || typeof value === 'object' ? '' : property.field('value').text()
  const secret = property.field('secretKeyRef')
  return {
    ...plain,
    ...textsIn(property, ['name', 'envRef']),
    ...(!secret.isAbsent && {secretKeyRef: {...fieldsOf(secret), ...textsIn(secret, ['name', 'key'])}}),
    ...(typeof value === 'number' && text !== String(value) && {value: text})
  }
}

/** Returns the values of these keys as texts. */
const textsIn = (field: Field, keys: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(keys.filter(key => !field.field(key).isAbsent).map(key => [key, field.field(key).text()]))
