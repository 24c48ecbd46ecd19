import {encode, decode} from '../../../proxy/net/grpc/message-codec.ts'
import type {PubSub, Handled} from '../pubsub.ts'
import {PublishEventRequest} from '../../../model/dapr/messages/pubsub.generated.ts'
import {callerOf, type OpenedByDaprd} from './daprd-access.ts'
import {bindingOf, type Binding} from '../binding.ts'
import {Properties} from '../properties.ts'
import {InvokeBindingRequest, InvokeBindingResponse} from '../../../model/dapr/messages/binding.generated.ts'
import {isWithin} from '../../../platform/delay.ts'
import type {ComponentResource} from '../../../files/resources/components.ts'
import {parseGoDuration} from '../../../model/go-duration.ts'
import {ownOf} from '../../../model/own.ts'

/** A message broker that daprd serves. Messages pass as raw bytes: Pillion itself builds and reads the CloudEvents. */
export function daprdBroker(options: OpenedByDaprd): PubSub {
  const {access, capabilities, resource} = options
  const pubsubName = resource.name
  return {
    capabilities,
    keepsFailed: true,
    publish: async (topic, {data, metadata}) =>
      callerOf(options)(
        'PublishEvent',
        encode(PublishEventRequest, {
          pubsubName,
          topic,
          data,
          dataContentType: 'application/octet-stream',
          metadata: {...metadata, rawPayload: 'true'}
        })
      ),
    subscribe: async ({topic, atOnce, ready, handle}) =>
      heldReader({holdMs: holdMsOf(resource), ready, handle}, deliver =>
        access.read({pubsubName, topic, atOnce, deliver})
      )
  }
}

/** A binding that daprd serves. Its capabilities name its directions. Daprd itself refuses unknown operations. */
export function daprdBinding(options: OpenedByDaprd): Binding {
  const {capabilities, resource} = options
  return bindingOf(
    {properties: new Properties(resource.properties)},
    {
      ...(capabilities.includes('OUTPUT_BINDING') && {output: outputOf(options)}),
      ...(capabilities.includes('INPUT_BINDING') && {input: inputOf(options)})
    }
  )
}

const outputOf = (options: OpenedByDaprd): NonNullable<Binding['output']> => ({
  operations: undefined,
  invoke: async request => {
    const {name} = options.resource
    const answer = await callerOf(options)('InvokeBinding', encode(InvokeBindingRequest, {name, ...request}))
    const {data, metadata} = decode(InvokeBindingResponse, answer)
    if (data.length === 0 && Object.keys(metadata).length === 0) return undefined
    return {data: Buffer.from(data), metadata}
  }
})

const inputOf = ({access, resource}: OpenedByDaprd): NonNullable<Binding['input']> => ({
  read: async ({ready, handle}) =>
    heldReader({holdMs: holdMsOf(resource), ready, handle}, deliver => access.readBinding(resource.name, deliver))
})

interface Holding<E> {
  /** Time after which the broker delivers an unanswered event again, in ms. */
  readonly holdMs: number
  readonly ready: () => Promise<void>
  readonly handle: (event: E) => Promise<Handled>
}

/** Delivers daprd's events to the app. `read`: begins to read, and returns a function that ends this. `stop` waits for running deliveries. */
export function heldReader<E>(
  {holdMs, ready, handle}: Holding<E>,
  read: (deliver: (event: E) => Promise<Handled>) => () => void
): {readonly stop: () => Promise<void>} {
  const open = new Set<Promise<Handled>>()
  // a returned event is delivered again at once, so only one event waits for the app
  let waiting: Promise<void> | undefined
  const isReady = async (): Promise<void> => (waiting ??= ready().finally(() => (waiting = undefined)))
  const end = read(async event => {
    if (!(await isWithin(holdMs, isReady()))) return 'returned'
    const handled = handle(event)
    open.add(handled)
    return handled.finally(() => open.delete(handled))
  })
  return {
    stop: async () => {
      end()
      await Promise.all(open)
    }
  }
}

interface Hold {
  readonly property: string
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

/** Part of that time to use, so that the answer reaches the broker in time. */
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
