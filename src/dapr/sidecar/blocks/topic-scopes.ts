import type {Properties} from '../../components/properties.ts'

type TopicUse = 'publishingScopes' | 'subscriptionScopes'

/** Splits a text at commas, and trims the parts. */
const listOf = (text: string): readonly string[] => {
  const compact = text.replaceAll(' ', '')
  return compact === '' ? [] : compact.split(',')
}

/** Returns the topics that a scope names for an app; empty if it names none. */
const scopedFor = (scopes: string, appId: string): readonly string[] =>
  scopes
    .replaceAll(' ', '')
    .split(';')
    .map(each => each.split('='))
    .flatMap(([app, topics]) => (app === appId && topics !== undefined ? topics.split(',') : []))

/** The rules in the properties of a component for the topics of an app. */
interface Scopes {
  readonly appId: string
  readonly allowed: readonly string[]
  readonly isProtected: readonly string[]
  readonly scoped: readonly string[]
}

/** Scopes by component, since each event needs them. */
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
