import type {Place} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {isTruthy} from '../../model/truthy.ts'
import {
  encryptionKeyFault,
  isEncryptionKey,
  type FactsOfType,
  type TypeFacts,
  middlewareType,
  daprTypes,
  isDaprType
} from './component-types.ts'
import type {ResourceFault} from './fault.ts'
import type {Field} from './field.ts'
import {headOf, type ResourceFile, type ResourceHead} from './resource-file.ts'
import {MAX_TIMER_MS, parseGoDuration} from '../../model/go-duration.ts'

/** An entry of `spec.metadata`: a value, or a reference to it. */
export interface ComponentProperty {
  readonly name: string
  /** Written value; may be empty. */
  readonly value: string
  /** `secretKeyRef`; an empty key means the name. */
  readonly secret: {readonly name: string; readonly key: string} | undefined
  /** Variable of our environment with the value; may be empty. A written value wins. */
  readonly envRef: string
  readonly place: Place
}

/** Dapr's Component (pkg/apis/components/v1alpha1/types.go), as its file has it. */
export interface ComponentResource extends ResourceHead {
  /** `state.redis` */
  readonly type: string
  /** Whether Dapr's sidecar knows the type. */
  readonly isOfDapr: boolean
  /** The capabilities of its type in Dapr's words, unless its properties change them. Undefined if the type is not built. */
  readonly capabilities: readonly string[] | undefined
  /** The version as written; '' means `v1`. */
  readonly version: string
  readonly properties: readonly ComponentProperty[]
  /** Time in ms after which opening fails. */
  readonly initTimeoutMs: number
  /** Whether a failed start is only logged, and the app starts without the component. */
  readonly ignoresErrors: boolean
  /** Store for `secretKeyRef`; may be empty. */
  readonly secretStore: string
  /** Whether it comes from Dapr's own folder, or replaces a file of `dapr init`. Such a component opens at its first use. */
  readonly isDefault: boolean
  /** Ports in its values that this copy replaces: when they change, it is opened again. Default: none. */
  readonly moved?: readonly (readonly [from: number, to: number])[]
  readonly place: Place
  readonly typePlace: Place
}

const API_VERSION = 'dapr.io/v1alpha1'
const DEFAULT_INIT_TIMEOUT_MS = 5000

/** Whether Dapr stores actors in this component, and workflows with them. */
export const isActorStore = ({type, properties}: ComponentResource): boolean =>
  type.startsWith('state.') && properties.some(isActorStoreMark)

export const NO_ACTOR_STORE =
  'no Component has actorStateStore "true": Pillion needs none, but with a real Dapr each workflow waits for ever'

export const isActorStoreMark = ({name, value}: ComponentProperty): boolean =>
  name.toLowerCase() === 'actorstatestore' && isTruthy(value)

/** Whether a resource applies to an app. */
export const areFor =
  (appId: string, ownNamespace: string) =>
  ({namespace, scopes}: Pick<ComponentResource, 'namespace' | 'scopes'>): boolean =>
    (ownNamespace === '' || namespace === '' || namespace === ownNamespace) &&
    (scopes.length === 0 || scopes.includes(appId))

/** Returns the name of a component in Dapr's log and errors. */
export const logName = ({name, type, version}: Pick<ComponentResource, 'name' | 'type' | 'version'>): string =>
  `${name} (${type}/${version})`

/** Returns the text of Dapr's command line about a second component of the same name (pkg/standalone); empty if it is the first. */
export function whyDouble(resource: ComponentResource, all: readonly ComponentResource[]): string {
  const first = all.find(({name}) => name === resource.name)
  return first === undefined || first === resource
    ? ''
    : `duplicate definition of component name ${logName(resource)} with existing ${logName(first)}`
}

/** Returns a fault for each component that has the name of an earlier one. */
export const doubleComponents = (all: readonly ComponentResource[]): readonly ResourceFault[] =>
  all.flatMap(resource => {
    const message = whyDouble(resource, all)
    const found = {severity: 'error', message, place: resource.place, expected: '', isFatal: true} as const
    return message === '' ? [] : [{...found, hint: 'rename one of them'}]
  })

export const readComponents = ({documents}: ResourceFile, factsOfType: FactsOfType): readonly ComponentResource[] =>
  documents
    .filter(document => document.field('kind').text() === 'Component')
    .flatMap(document => readComponent(document, factsOfType))

function readComponent(document: Field, factsOfType: FactsOfType): readonly ComponentResource[] {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec', 'auth'])
  if (!hasKnownVersion(document)) return []
  const spec = document.field('spec')
  spec.warnUnknownKeys(['type', 'version', 'metadata', 'initTimeout', 'ignoreErrors'])
  const name = document.field('metadata').field('name')
  const type = spec.field('type')
  for (const field of [name, type]) {
    if (field.text() !== '') continue
    field.warn(`${field.path} is empty: this Component is left out`, {expected: 'expected a text'})
    return []
  }
  const ignoresErrors = spec.field('ignoreErrors').boolean() ?? false
  const facts = factsOfType(type.text())
  checkType(spec, ignoresErrors, facts)
  const secretStore = document.field('auth').field('secretStore').text()
  if (type.text().startsWith('state.')) checkKeys(spec, secretStore, ignoresErrors)
  return [
    {
      ...headOf(document),
      type: type.text(),
      isOfDapr: isDaprType(type.text()),
      capabilities: middlewareType(type.text()) === undefined ? facts?.capabilities : [],
      version: spec.field('version').text(),
      properties: spec.field('metadata').items().map(readProperty),
      initTimeoutMs: initTimeoutOf(spec.field('initTimeout')),
      ignoresErrors,
      secretStore,
      isDefault: false,
      place: name.place,
      typePlace: type.place
    }
  ]
}

/** Whether a resource has Dapr's apiVersion. A resource with another version is left out with a warning. */
export function hasKnownVersion(document: Field): boolean {
  const version = document.field('apiVersion')
  const written = version.text()
  if (written === API_VERSION) return true
  const message = `the apiVersion "${written}" is not known: this ${document.field('kind').text()} is left out`
  version.warn(message, {expected: `expected ${API_VERSION}`})
  return false
}

/** Reports an unknown type, and unknown properties of a known type. */
function checkType(spec: Field, ignoresErrors: boolean, facts: TypeFacts | undefined): void {
  const type = spec.field('type')
  const text = type.text()
  if (!isDaprType(text)) {
    const near = nearMiss(text, daprTypes())
    return type.error(`there is no type "${text}"`, {
      hint: near === '' ? '' : `did you mean ${near}?`,
      isFatal: !ignoresErrors
    })
  }
  if (facts === undefined) return
  const known = facts.properties
  const lower = new Set(known.map(name => name.toLowerCase()))
  for (const item of spec.field('metadata').items()) {
    const name = item.field('name')
    if (lower.has(name.text().toLowerCase())) continue
    const near = nearMiss(name.text(), known)
    const hint = near === '' ? '' : `did you mean ${near}?`
    name.warn(`${text} has no property "${name.text()}": it has no effect`, {hint})
  }
}

/** Reports encryption keys of a state store that are given in a way that protects nothing. */
function checkKeys(spec: Field, secretStore: string, ignoresErrors: boolean): void {
  for (const item of spec.field('metadata').items()) {
    const property = readProperty(item)
    const fault = isEncryptionKey(property) ? encryptionKeyFault(property, secretStore) : ''
    const hint = 'give the key by secretKeyRef, from the store that auth.secretStore names'
    if (fault !== '') item.field('name').error(fault, {hint, isFatal: !ignoresErrors})
  }
}

function readProperty(item: Field): ComponentProperty {
  item.warnUnknownKeys(['name', 'value', 'secretKeyRef', 'envRef'])
  const value = item.field('value')
  const secret = item.field('secretKeyRef')
  const envRef = item.field('envRef')
  const name = secret.field('name').text()
  const where = [value, secret, envRef].find(field => !field.isAbsent) ?? item
  return {
    name: item.field('name').text(),
    value: value.dynamic(),
    secret: name === '' ? undefined : {name, key: secret.field('key').text() || name},
    envRef: envRef.text(),
    place: where.place
  }
}

/** Reads `initTimeout` in ms. A text that is not a duration means the default, as in Dapr. */
function initTimeoutOf(field: Field): number {
  const text = field.text()
  if (text === '') return DEFAULT_INIT_TIMEOUT_MS
  const ms = parseGoDuration(text)
  if (typeof ms === 'number') return Math.min(ms, MAX_TIMER_MS)
  return (
    field.warn(`${ms}: the default of 5s is taken`, {expected: 'expected a duration such as 5s'}) ??
    DEFAULT_INIT_TIMEOUT_MS
  )
}
