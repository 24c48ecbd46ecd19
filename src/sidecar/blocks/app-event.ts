import type {Message} from '../../components/pubsub.ts'
import type {TopicSubscription} from '../../resources/subscriptions.ts'
import {parseEvent, rawEvent} from './cloud-event.ts'
import type {AppEvent} from './event-channel.ts'

/** The event in a message. Throws if it is not a CloudEvent and the subscription does not ask for raw payloads. */
export function eventOf({data, metadata}: Message, subscription: TopicSubscription): AppEvent {
  if (!isRaw(subscription)) return {fields: parseEvent(data), body: data, metadata}
  const fields = rawEvent(data, {...subscription, metadata})
  return {fields, body: Buffer.from(JSON.stringify(fields)), raw: data, metadata}
}

/** Whether the subscription has `rawPayload` in its metadata. */
function isRaw({metadata}: TopicSubscription): boolean {
  for (const key in metadata)
    if (key.toLowerCase() === 'rawpayload' && /^(?:1|t|true)$/i.test(metadata[key] ?? '')) return true
  return false
}
