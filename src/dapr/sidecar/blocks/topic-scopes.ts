import type {Properties} from '../../components/properties.ts'

type TopicUse = 'publishingScopes' | 'subscriptionScopes'

/** Splits a text at commas, and removes all spaces. */
const listOf = (text: string): readonly string[] => {
  const compact = text.replaceAll(' ', '')
  return compact === '' ? [] : compact.split(',')
}

/** Returns the topics that a text like `app1=topic1,topic2;app2=topic3` names for an app. */
const scopedFor = (scopes: string, appId: string): readonly string[] =>
  scopes
    .replaceAll(' ', '')
    .split(';')
    .map(each => each.split('='))
    .flatMap(([app, topics]) => (app === appId && topics !== undefined ? topics.split(',') : []))

/** The topics that the properties of a component name for an app. */
interface Scopes {
  readonly appId: string
  /** Topics that apps may use; empty: all. */
  readonly allowed: readonly string[]
  /** Topics that an app may use only if its scope names them. */
  readonly isProtected: readonly string[]
  /** Topics in the scope of the app; empty: all that are not protected. */
  readonly scoped: readonly string[]
}

/** Parsed scopes by component, since each event needs them. */
const known: Readonly<Record<TopicUse, WeakMap<Properties, Scopes>>> = {
  publishingScopes: new WeakMap(),
  subscriptionScopes: new WeakMap()
}

function scopesOf(properties: Properties, use: TopicUse, appId: string): Scopes {
  const found = known[use].get(properties)
  if (found?.appId === appId) return found
  const scopes = {
    appId,
    allowed: listOf(properties.text('allowedTopics')),
    isProtected: listOf(properties.text('protectedTopics')),
    scoped: scopedFor(properties.text(use), appId)
  }
  known[use].set(properties, scopes)
  return scopes
}

/** Whether an app may use a topic of a component (Dapr: pkg/scopes, isOperationAllowed). */
export function isTopicAllowed(
  properties: Properties,
  use: TopicUse,
  {appId, topic}: {readonly appId: string; readonly topic: string}
): boolean {
  const {allowed, isProtected, scoped} = scopesOf(properties, use, appId)
  if (allowed.length > 0 && !allowed.includes(topic)) return false
  return scoped.length === 0 ? !isProtected.includes(topic) : scoped.includes(topic)
}
