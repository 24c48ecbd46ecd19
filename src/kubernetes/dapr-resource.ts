import type {Field} from '../resources/field.ts'
import type {KubernetesObject} from './object.ts'

export interface ResourceOptions {
  /** '' = that of the context. */
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** App ids that may use it; undefined: all. */
  readonly scopes: readonly string[] | undefined
}

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (field: Field): Fields =>
  Object.fromEntries([...field.entries()].map(([name, each]) => [name, each.plain()]))

const textsOf = (field: Field): Readonly<Record<string, string>> =>
  Object.fromEntries([...field.entries()].map(([name, each]) => [name, each.text()]))

/** A resource of Dapr as an object: what its file has, in its order, with our labels. */
export function daprResource(document: Field, {namespace, labels, scopes}: ResourceOptions): KubernetesObject {
  const {apiVersion, kind, metadata: _metadata, scopes: _scopes, ...rest} = fieldsOf(document)
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
    ...(scopes !== undefined && scopes.length > 0 && {scopes})
  }
}

/** The definition in the cluster demands `metadata`. A number is the text that the laptop's sidecar reads. */
function componentSpec(spec: Field): Fields {
  const {metadata: _, ...rest} = fieldsOf(spec)
  const properties = spec.field('metadata').items()
  return {...rest, metadata: properties.map(propertyOf)}
}

function propertyOf(property: Field): unknown {
  const plain = fieldsOf(property)
  const value = plain['value']
  if (typeof value !== 'number') return plain
  const text = property.field('value').text()
  return text === String(value) ? plain : {...plain, value: text}
}
