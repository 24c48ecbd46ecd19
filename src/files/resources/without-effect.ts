import type {Place} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {ComponentResource} from './components.ts'
import type {Field} from './field.ts'
import type {ResourceFile} from './resource-file.ts'

/** A resource or key of Dapr that has no effect in Pillion. */
export interface WithoutEffect {
  /** `Component "orders" (pubsub.redis)`, `spec.nameResolution`. */
  readonly what: string
  readonly why: string
  readonly place: Place
  /** The component, if it is one: of a type that is not built, or a denied one. */
  readonly component?: ComponentResource
  /** The app's Configuration refuses it. */
  readonly isDenied?: true
}

const NOT_BUILT = 'it is not supported yet'

const READ = ['HTTPEndpoint', 'Resiliency', 'Component', 'Configuration', 'Subscription', 'WorkflowAccessPolicy']
/** Kinds of Dapr that Pillion does not use. */
const UNREAD = ['MCPServer']

/** Finds documents without effect in a file of a resource folder, except Components. */
export const findWithoutEffect = ({documents}: ResourceFile): readonly WithoutEffect[] => documents.flatMap(inDocument)

export const unbuiltComponent = (component: ComponentResource): WithoutEffect => ({
  what: `Component "${component.name}" (${component.type})`,
  why: 'this type is not supported yet',
  place: component.place,
  component
})

function inDocument(document: Field): readonly WithoutEffect[] {
  const kind = document.field('kind')
  const word = kind.text()
  const {place} = kind
  const name = document.field('metadata').field('name').text()
  if (word === 'Configuration')
    return [
      {what: `Configuration "${name}"`, why: 'only the file that configFilePath or --config names is read', place}
    ]
  if (UNREAD.includes(word)) return [{what: `${word} "${name}"`, why: NOT_BUILT, place}]
  // documents of other tools are not checked
  if (READ.includes(word) || !document.field('apiVersion').text().startsWith('dapr.io/')) return []
  const near = nearMiss(word, [...READ, ...UNREAD])
  const why = near === '' ? 'its kind is not known' : `its kind is not known: did you mean ${near}?`
  return [{what: `${word === '' ? 'a resource without a kind' : word} "${name}"`, why, place}]
}

const isThere = (field: Field): boolean => field.entries().size > 0

/** Features of Dapr that are always on here (pkg/config/configuration.go). Dapr ignores other names. */
const ON = new Set(['ActorStateTTL', 'HotReload', 'SchedulerReminders', 'WorkflowsRemoteActivityReminder'])
const OFF = new Set(['WorkflowHistorySigning', 'WorkflowsClusteredDeployment', 'WorkflowsFastPath'])

function unmetFeatures(field: Field): readonly WithoutEffect[] {
  return field.items().flatMap(item => {
    item.warnUnknownKeys(['name', 'enabled'])
    const name = item.field('name').text()
    const isOff = item.field('enabled').boolean() === false
    const why = isOff ? 'it is always on' : NOT_BUILT
    return (isOff ? ON : OFF).has(name) ? [{what: `${field.path} ${name}`, why, place: item.place}] : []
  })
}

/** Keys of a Configuration's `spec` without effect. */
const UNREAD_KEYS = ['nameResolution', 'wasm']

const KEYS =
  'accessControl api appHttpPipeline components httpPipeline logging metric metrics mtls secrets tracing workflow'
const READ_KEYS = KEYS.split(' ')

/** Finds keys without effect in a Configuration, and keys that Dapr does not know. */
export function findUnreadKeys({documents: [document]}: ResourceFile): readonly WithoutEffect[] {
  document?.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec', 'status'])
  const spec = document?.field('spec')
  spec?.warnUnknownKeys([...READ_KEYS, 'features', ...UNREAD_KEYS])
  if (spec === undefined) return []
  const unread = UNREAD_KEYS.map(key => spec.field(key)).filter(isThere)
  return [
    ...unmetFeatures(spec.field('features')),
    ...unread.map(({path, place}) => ({what: path, why: NOT_BUILT, place}))
  ]
}
