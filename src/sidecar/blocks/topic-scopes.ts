import type {Properties} from '../../components/properties.ts'

/** What an app wants to do with a topic. */
export type TopicUse = 'publishingScopes' | 'subscriptionScopes'

/** Texts between commas; blanks do not count. */
const listOf = (text: string): readonly string[] => {
  const compact = text.replaceAll(' ', '')
  return compact === '' ? [] : compact.split(',')
}

/** The topics that a scope names for an app; empty: it names none for it. */
const scopedFor = (scopes: string, appId: string): readonly string[] =>
  scopes
    .replaceAll(' ', '')
    .split(';')
    .map(each => each.split('='))
    .flatMap(([app, topics]) => (app === appId && topics !== undefined ? topics.split(',') : []))

/** Whether an app may use a topic of a component (Dapr: pkg/scopes, isOperationAllowed). */
export function isTopicAllowed(
  properties: Properties,
  use: TopicUse,
  {appId, topic}: {readonly appId: string; readonly topic: string}
): boolean {
  const allowed = listOf(properties.text('allowedTopics'))
  if (allowed.length > 0 && !allowed.includes(topic)) return false
  const isProtected = listOf(properties.text('protectedTopics')).includes(topic)
  const scoped = scopedFor(properties.text(use), appId)
  return scoped.length === 0 ? !isProtected : scoped.includes(topic)
}
