import {compileRule} from '../../../files/resources/routing-rule.ts'
import {
  bulkSettings,
  usualRule,
  type RoutingRule,
  type TopicSubscription
} from '../../../files/resources/subscriptions.ts'
import {isObject} from '../../../model/is-object.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {orElse} from '../../../model/or-else.ts'
import {memberIn, asString} from './json-text.ts'

const KEYS = ['pubsubname', 'topic', 'metadata', 'route', 'routes', 'deadLetterTopic', 'bulkSubscribe']

/** Parses the app's list of subscriptions. Throws if the text is not a JSON array. `null` is an empty list, as in Go. */
export function parseListed(text: string): readonly unknown[] {
  const list: unknown = JSON.parse(text)
  if (list === null) return []
  if (!Array.isArray(list)) throw new Error('the list of subscriptions is no JSON array')
  return list
}

/**
 * Reads the subscriptions that an app lists (Dapr: pkg/runtime/pubsub, GetSubscriptionsHTTP). Leaves out unusable entries with a warning.
 * `isRouteOptional`: an entry without a route gets the path '', as gRPC apps have one method for all events.
 */
export async function readListed(
  list: readonly unknown[],
  warn: (text: string) => undefined,
  isRouteOptional = false
): Promise<readonly TopicSubscription[]> {
  return (await Promise.all(list.map(async (item, at) => readOne(item, at, warn))))
    .filter(each => each !== undefined)
    .flatMap(each => {
      if (each.rules.length > 0) return each
      if (isRouteOptional) return {...each, rules: [usualRule('')]}
      return warn(`topic ${each.topic} has an empty routes. removing from subscriptions list`) ?? []
    })
}

async function readOne(
  item: unknown,
  at: number,
  warn: (text: string) => undefined
): Promise<TopicSubscription | undefined> {
  if (!isObject(item)) return warn(`subscription ${at} of the app is no JSON object: it is left out`)
  const topic = asString(memberIn(item, 'topic'))
  const pubsubName = asString(memberIn(item, 'pubsubname'))
  const routes = memberIn(item, 'routes')
  for (const [name, value] of Object.entries({topic, pubsubname: pubsubName})) {
    if (value !== '') continue
    const near = nearMiss(
      name,
      Object.keys(item).filter(key => !KEYS.includes(key))
    )
    const hint = near === '' ? '' : ` (did you mean ${name} by ${near}?)`
    return warn(`subscription ${at} of the app has no ${name}${hint}: it is left out`)
  }
  const rules = await rulesOf(memberIn(routes, 'rules'), (expression, {message, offset}) =>
    warn(
      `subscription to topic ${topic} of pubsub ${pubsubName}: ${message}: it is left out\n   ${expression}\n   ${' '.repeat(offset)}^`
    )
  )
  if (rules === undefined) return undefined
  const usual = asString(memberIn(routes, 'default')) || asString(memberIn(item, 'route'))
  const all = usual === '' ? rules : [...rules, usualRule(usual)]
  return {
    pubsubName,
    topic,
    metadata: metadataOf(memberIn(item, 'metadata')),
    rules: all,
    deadLetterTopic: asString(memberIn(item, 'deadLetterTopic')),
    bulk: bulkOf(memberIn(item, 'bulkSubscribe'))
  }
}

/** Converts the values of metadata to text. A value that cannot be converted becomes an empty string. */
const metadataOf = (value: unknown): TopicSubscription['metadata'] =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, orElse(() => String(each), '')]))
    : {}

const bulkOf = (value: unknown): TopicSubscription['bulk'] =>
  memberIn(value, 'enabled') === true
    ? bulkSettings(numberOf(memberIn(value, 'maxMessagesCount')), numberOf(memberIn(value, 'maxAwaitDurationMs')))
    : undefined

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Reads routing rules. Resolves with undefined, and calls `faulty`, if one of them is invalid. */
async function rulesOf(
  list: unknown,
  faulty: (expression: string, fault: {readonly message: string; readonly offset: number}) => undefined
): Promise<readonly RoutingRule[] | undefined> {
  const rules: RoutingRule[] = []
  for (const item of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    if (!isObject(item)) continue
    const match = asString(memberIn(item, 'match'))
    const rule = await compileRule(match)
    if ('message' in rule) return faulty(match, rule)
    rules.push({match, path: asString(memberIn(item, 'path')), fits: rule.fits})
  }
  return rules
}
