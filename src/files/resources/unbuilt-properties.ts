import {splitType} from './component-types.ts'

/** Properties of state stores that promise delivery (Dapr: pkg/runtime/pubsub/outbox.go), and what is not built. */
const UNBUILT: Readonly<Record<string, string>> = {
  outboxPublishPubsub: 'does not publish from transactions (outbox) yet, and no event would be sent',
  outboxPublishTopic: 'does not publish from transactions (outbox) yet, and no event would be sent',
  outboxPubsub: 'does not publish from transactions (outbox) yet, and no event would be sent',
  outboxDiscardWhenMissingState: 'does not publish from transactions (outbox) yet, and no event would be sent'
}

/** Why a component with this property is refused until it has an effect; '' = it is not. */
export function whyRefused(type: string, property: string): string {
  if (splitType(type)[0] !== 'state') return ''
  const lower = property.toLowerCase()
  const name = Object.keys(UNBUILT).find(each => each.toLowerCase() === lower)
  return name === undefined ? '' : `${name}: Pillion ${UNBUILT[name] ?? ''}`
}
