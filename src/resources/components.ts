import type {Place} from '../model/errors.ts'
import type {Field, ResourceFile} from './field.ts'
import {middlewareType} from './http-pipeline.ts'

/** The head of Dapr's Component (pkg/apis/components/v1alpha1/types.go): what it is called, and of which type it is. */
export interface ComponentHead {
  readonly name: string
  readonly namespace: string
  /** App ids that may use it; empty: all. */
  readonly scopes: readonly string[]
  /** `state.redis` */
  readonly type: string
  readonly version: string
  /** Names and values of a middleware; empty for other types: theirs may be secrets. */
  readonly metadata: readonly (readonly [name: string, value: string])[]
  readonly place: Place
}

/** Whether its type is built. */
export const isBuilt = ({type}: ComponentHead): boolean => middlewareType(type) !== undefined

/** Of several resources of one app, those that are for it. */
export const areFor =
  (appId: string, ownNamespace: string) =>
  ({namespace, scopes}: Pick<ComponentHead, 'namespace' | 'scopes'>): boolean =>
    (ownNamespace === '' || namespace === '' || namespace === ownNamespace) &&
    (scopes.length === 0 || scopes.includes(appId))

/** The Components of a file. */
export const readComponents = ({documents}: ResourceFile): readonly ComponentHead[] =>
  documents.filter(document => document.field('kind').text() === 'Component').flatMap(readHead)

const metadataOf = (spec: Field): ComponentHead['metadata'] =>
  spec
    .field('metadata')
    .items()
    .map(item => [item.field('name').text(), item.field('value').text()])

function readHead(document: Field): readonly ComponentHead[] {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec', 'auth'])
  const name = document.field('metadata').field('name')
  const type = document.field('spec').field('type')
  for (const field of [name, type]) {
    if (field.text() !== '') continue
    field.warn(`${field.path} is empty: this Component is left out`, {expected: 'expected a text'})
    return []
  }
  const scopes = document.field('scopes').items()
  return [
    {
      name: name.text(),
      namespace: document.field('metadata').field('namespace').text(),
      scopes: scopes.map(item => item.text()),
      type: type.text(),
      version: document.field('spec').field('version').text(),
      metadata: middlewareType(type.text()) === undefined ? [] : metadataOf(document.field('spec')),
      place: name.place
    }
  ]
}
