import type {ComponentResource} from '../../../files/resources/components.ts'
import {parseGoDuration} from '../../../files/resources/go-duration.ts'
import {ownOf} from '../../../model/own.ts'

interface Hold {
  readonly property: string
  /** Unit of a bare number. */
  readonly unitMs: number
  readonly defaultMs: number
}

const USUAL_MS = 60_000

/** How long brokers wait for an answer before they redeliver a message (metadata.yaml of each in components-contrib). */
const HOLDS: Readonly<Record<string, Hold>> = {
  'pubsub.redis': {property: 'processingTimeout', unitMs: 1, defaultMs: USUAL_MS},
  'pubsub.jetstream': {property: 'ackWait', unitMs: 1e-6, defaultMs: 30_000},
  'pubsub.gcp.pubsub': {property: 'ackDeadline', unitMs: 1000, defaultMs: 20_000},
  'pubsub.aws.snssqs': {property: 'messageVisibilityTimeout', unitMs: 1000, defaultMs: 10_000},
  'pubsub.snssqs': {property: 'messageVisibilityTimeout', unitMs: 1000, defaultMs: 10_000},
  'pubsub.azure.servicebus.topics': {property: 'lockDurationInSec', unitMs: 1000, defaultMs: USUAL_MS},
  'pubsub.azure.servicebus.queues': {property: 'lockDurationInSec', unitMs: 1000, defaultMs: USUAL_MS}
}

/** The share of that time to use; the rest is for the way back. */
const SHARE = 0.9

/** How long a broker's message may wait for an app that starts or reloads, in ms: after that the broker redelivers it. */
export function holdMsOf({type, properties}: Pick<ComponentResource, 'type' | 'properties'>): number {
  const hold = ownOf(HOLDS, type)
  if (hold === undefined) return USUAL_MS * SHARE
  const {property, unitMs, defaultMs} = hold
  const text = properties.find(({name}) => name.toLowerCase() === property.toLowerCase())?.value ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * unitMs : parseGoDuration(text)
  // 0: the broker never redelivers
  return (typeof ms === 'number' && ms > 0 ? ms : defaultMs) * SHARE
}
