import type {Place} from '../../model/errors.ts'
import type {Field} from './field.ts'
import {headOf, type ResourceFile, type ResourceHead} from './resource-file.ts'
import {always, compileRule, type FitsRule} from './routing-rule.ts'
import type {TopicTrigger} from '../../model/triggers.ts'

/** The path for events of a topic. The first rule that matches counts. */
export interface RoutingRule {
  /** The condition as written; '': always. */
  readonly match: string
  /** A path of the app; empty for gRPC apps that name none. */
  readonly path: string
  readonly fits: FitsRule
}

/** Delivery of several events in one request. */
export interface BulkSettings {
  readonly maxMessages: number
  readonly maxAwaitMs: number
}

/** An app's subscription to a topic (Dapr: pkg/runtime/pubsub, Subscription). */
export interface TopicSubscription extends Omit<TopicTrigger, 'bulk'> {
  readonly rules: readonly RoutingRule[]
  /** Bulk settings. Undefined for one event in each request. */
  readonly bulk: BulkSettings | undefined
  /** Whether its rules are not known yet, so that events wait. */
  readonly waits?: true
}

/** Dapr's Subscription (pkg/apis/subscriptions, v1alpha1 and v2alpha1), as its file has it. */
export interface SubscriptionResource extends TopicSubscription, ResourceHead {
  readonly place: Place
}

const MAX_MESSAGES = 100
const MAX_AWAIT_MS = 1000

/** The settings of bulk delivery; numbers that are left out, or not above 0, are Dapr's defaults. */
export const bulkSettings = (maxMessages = 0, maxAwaitMs = 0): BulkSettings => ({
  maxMessages: maxMessages > 0 ? maxMessages : MAX_MESSAGES,
  maxAwaitMs: maxAwaitMs > 0 ? maxAwaitMs : MAX_AWAIT_MS
})

/** Returns the Subscriptions of a file, without unusable ones. */
export async function readSubscriptions({documents}: ResourceFile): Promise<readonly SubscriptionResource[]> {
  const found = documents.filter(
    document =>
      document.field('kind').text() === 'Subscription' && document.field('apiVersion').text().startsWith('dapr.io/')
  )
  const all = await Promise.all(found.map(readSubscription))
  return all.filter(each => each !== undefined)
}

async function readSubscription(document: Field): Promise<SubscriptionResource | undefined> {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec'])
  const isFirstVersion = document.field('apiVersion').text() === 'dapr.io/v1alpha1'
  const spec = document.field('spec')
  warnUnknownKeys(spec, isFirstVersion)
  const name = document.field('metadata').field('name')
  for (const key of ['pubsubname', 'topic']) {
    const field = spec.field(key)
    if (field.text() !== '') continue
    return field.warn(`${field.path} is empty: this Subscription is left out`, {expected: 'expected a text'})
  }
  const rules = await readRules(spec)
  if (rules === undefined) return undefined
  if (rules.length === 0)
    return spec.warn(`topic ${spec.field('topic').text()} has an empty routes: this Subscription is left out`, {
      expected: isFirstVersion ? 'expected spec.route' : 'expected spec.routes.default, or rules'
    })
  const bulk = spec.field('bulkSubscribe')
  return {
    ...headOf(document),
    pubsubName: spec.field('pubsubname').text(),
    topic: spec.field('topic').text(),
    metadata: Object.fromEntries([...spec.field('metadata').entries()].map(([key, field]) => [key, field.text()])),
    rules,
    deadLetterTopic: spec.field('deadLetterTopic').text(),
    bulk:
      bulk.field('enabled').boolean() === true
        ? bulkSettings(bulk.field('maxMessagesCount').integer(), bulk.field('maxAwaitDurationMs').integer())
        : undefined,
    place: (name.isAbsent ? document : name).place
  }
}

function warnUnknownKeys(spec: Field, isFirstVersion: boolean): void {
  const routing = isFirstVersion ? 'route' : 'routes'
  spec.warnUnknownKeys([
    'pubsubname',
    'topic',
    'metadata',
    'deadLetterTopic',
    'bulkSubscribe',
    routing,
    // people mix the two versions; the other key is accepted if it is the only one
    ...(spec.field(routing).isAbsent ? ['route', 'routes'] : [])
  ])
}

/** Reads rules. Resolves with undefined, after a warning, if one of them is not valid. */
async function readRules(spec: Field): Promise<readonly RoutingRule[] | undefined> {
  const routes = spec.field('routes')
  const rules: RoutingRule[] = []
  for (const item of routes.field('rules').items()) {
    item.warnUnknownKeys(['match', 'path'])
    const match = item.field('match')
    const rule = await compileRule(match.text())
    if ('message' in rule) {
      const message = `${rule.message}: this Subscription is left out`
      match.noteWithin(rule.offset, {severity: 'warning', message})
      return undefined
    }
    rules.push({match: match.text(), path: item.field('path').text(), fits: rule.fits})
  }
  const usual = routes.field('default').text() || spec.field('route').text()
  return usual === '' ? rules : [...rules, usualRule(usual)]
}

/** Returns the rule for events without another rule. */
export const usualRule = (path: string): RoutingRule => ({match: '', path, fits: always})
