import type {AppComponent} from '../../components/app-components.ts'
import {textNamed} from '../../components/component-values.ts'
import type {BrokerMessage} from '../../components/pubsub.ts'
import {leaving, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {inParallel} from '../../../platform/in-parallel.ts'
import {BlockError, daprError, type BlockErrorDetails} from './block-error.ts'
import {AppBlock} from './block-context.ts'
import {envelopeOf, type Publication} from './cloud-event.ts'
import {isTopicAllowed} from './topic-scopes.ts'

export interface BulkEntry {
  readonly entryId: string
  readonly data: Buffer
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
}

interface FailedEntry {
  readonly entryId: string
  readonly error: string
}

type BulkPublication = Omit<Publication, 'data' | 'contentType'> & {readonly entries: readonly BulkEntry[]}

type Target = Pick<Publication, 'pubsubName' | 'topic' | 'metadata'>
type Broker = AppComponent<'pubsub'>

/** Maximum number of events of one bulk request that are published at once (Dapr: pkg/runtime/pubsub/default_bulkpub.go). */
const MAX_AT_ONCE = 100

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['', '0', 'f', 'F', 'FALSE', 'false', 'False']

/** Publishes the events of one app (Dapr: pkg/api/http, onPublish; pkg/runtime/pubsub/publisher). */
export class Publishing extends AppBlock {
  /** Checks broker, topic and `rawPayload` of a bulk request before its events are read. Rejects with Dapr's error. */
  async check(target: Target): Promise<void> {
    await this.#broker(target)
    this.#isRaw(target)
  }

  /** Rejects if there is no such broker, or if the app must not publish to the topic. */
  async checkTopic(target: Target): Promise<void> {
    this.#checkScopes(await this.#broker(target), target)
  }

  async publish(publication: Publication, onGone?: OnGone): Promise<void> {
    const {pubsubName, topic, metadata} = publication
    const opened = topic === '' ? undefined : this.context.components.opened('pubsub', pubsubName)
    const broker = opened ?? (await this.#broker(publication))
    const isRaw = this.#isRaw(publication)
    const {id, data} = isRaw ? {id: '', data: undefined} : this.#envelope(publication, broker)
    const message = data === undefined ? rawMessage(publication) : {data, metadata}
    this.#checkScopes(broker, publication)
    const {log} = this.context
    try {
      const event = {topic, id, traceparent: publication.trace.traceparent}
      const call = {block: 'pubsub', name: pubsubName, operation: topic, onGone, event} as const
      await this.context.outbound(call, () => broker.component.publish(broker.topicPrefix + topic, message))
    } catch (error) {
      throw this.failed(publication, messageOf(error))
    }
    if (log.isDebug)
      log.write('debug', `published to topic ${topic} in pubsub ${pubsubName}: ${message.data.toString()}`)
  }

  /** Publishes several events. Resolves with the failed ones. */
  async publishBulk(publication: BulkPublication, onGone?: OnGone): Promise<readonly FailedEntry[]> {
    const {pubsubName, topic, entries} = publication
    const broker = await this.#broker(publication)
    const messages = entries.map(({entryId, data, contentType, metadata: own}) => {
      const metadata = {...publication.metadata, ...own}
      const entry = {...publication, data, contentType, metadata}
      const isRaw = this.#isRaw(entry)
      const sent = isRaw ? {id: '', data} : this.#envelope(entry, broker)
      return {entryId, id: sent.id, message: {data: sent.data, metadata}}
    })
    this.#checkScopes(broker, publication)
    const failed: FailedEntry[] = []
    const startedAt = performance.now()
    // holds the broker open between two events, even if an edit replaces it
    const end = this.context.components.beginCall(pubsubName)
    const caller = onGone && leaving(onGone)
    const send = async ({entryId, id, message}: (typeof messages)[number]): Promise<unknown> => {
      const event = {topic, id, traceparent: publication.trace.traceparent}
      const call = {block: 'pubsub', name: pubsubName, onGone: caller?.onGone, event} as const
      return this.context
        .outbound(call, async () => broker.component.publish(broker.topicPrefix + topic, message))
        .catch((error: unknown) => failed.push({entryId, error: messageOf(error)}))
    }
    // publishes in order; after a failure the rest in parallel, since each event may wait as long for a broken broker
    const left = [...messages]
    for (let next = left.shift(); next !== undefined; next = failed.length === 0 ? left.shift() : undefined)
      await send(next)
    await inParallel(left, send, MAX_AT_ONCE)
    end()
    const {log} = this.context
    if (log.isDebug)
      log.write(
        'debug',
        `published ${messages.length - failed.length} of ${messages.length} events to topic ${topic} in pubsub ${pubsubName}`
      )
    this.context.counted({
      type: 'bulk-published',
      component: pubsubName,
      topic,
      isSuccess: failed.length === 0,
      events: messages.length - failed.length,
      elapsedMs: performance.now() - startedAt
    })
    return failed
  }

  /** Returns Dapr's error for an event that the broker did not accept. */
  failed({pubsubName, topic}: Pick<Publication, 'pubsubName' | 'topic'>, why: string): BlockError {
    const message = `error when publishing to topic ${topic} in pubsub ${pubsubName}: ${why}`
    return new BlockError(
      [500, 'internal', 'ERR_PUBSUB_PUBLISH_MESSAGE'],
      message,
      pubsubDetails('DAPR_PUBSUB_PUBLISH_MESSAGE', pubsubName, message, {error: why, topic})
    )
  }

  async #broker({pubsubName, topic, metadata}: Target): Promise<Broker> {
    if (pubsubName === '') throw unnamed('DAPR_PUBSUB_NAME_EMPTY', pubsubName, 'pubsub name is empty', metadata)
    const missing = pubsubNotFound(pubsubName, metadata)
    const found = await this.context.component('pubsub', pubsubName, {none: missing, unknown: missing})
    if (topic !== '') return found
    throw unnamed('DAPR_PUBSUB_TOPIC_NAME_EMPTY', pubsubName, `topic is empty in pubsub ${pubsubName}`, metadata)
  }

  #isRaw({pubsubName, metadata}: Pick<Publication, 'pubsubName' | 'metadata'>): boolean {
    const word = textNamed(metadata, 'rawPayload')
    if (FALSE.includes(word)) return false
    if (TRUE.includes(word)) return true
    const message = `failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is '${word}'`
    throw new BlockError(
      [400, 'invalidArgument', 'ERR_PUBSUB_REQUEST_METADATA'],
      message,
      pubsubDetails('DAPR_PUBSUB_METADATA_DESERIALIZATION', pubsubName, message, metadata)
    )
  }

  #envelope(publication: Publication, {component}: Broker): {readonly data: Buffer; readonly id: string} {
    const {appId} = this.context
    try {
      const {text, id} = envelopeOf(publication, appId, component.capabilities.includes('MESSAGE_TTL'))
      return {data: Buffer.from(text), id}
    } catch (error) {
      const message = 'cannot create cloudevent'
      throw new BlockError(
        [500, 'invalidArgument', 'ERR_PUBSUB_CLOUD_EVENTS_SER'],
        `${message} (${messageOf(error)})`,
        pubsubDetails('DAPR_PUBSUB_CLOUD_EVENT_CREATION', publication.pubsubName, message, {
          appID: appId,
          error: messageOf(error)
        })
      )
    }
  }

  #checkScopes({properties}: Broker, {pubsubName, topic}: Pick<Publication, 'pubsubName' | 'topic'>): void {
    const {appId} = this.context
    if (isTopicAllowed(properties, 'publishingScopes', {appId, topic})) return
    const message = `topic ${topic} is not allowed for app id ${appId}`
    throw new BlockError(
      [403, 'permissionDenied', 'ERR_PUBSUB_FORBIDDEN'],
      message,
      pubsubDetails('DAPR_PUBSUB_FORBIDDEN', pubsubName, message, {error: message, topic})
    )
  }
}

/** Returns the details of an error of pub/sub, which name the component. */
export const pubsubDetails = (
  reason: string,
  name: string,
  description: string,
  metadata: Readonly<Record<string, string>>
): BlockErrorDetails => ({reason, metadata, resource: {type: 'pubsub', name, description}})

/** Returns a function that makes Dapr's error for a missing pub/sub component from the reason. */
export const pubsubNotFound = (pubsubName: string, metadata: Target['metadata']): ReturnType<typeof daprError> =>
  daprError([404, 'invalidArgument', 'ERR_PUBSUB_NOT_FOUND'], `pubsub ${pubsubName} is not found`, {
    reason: 'DAPR_PUBSUB_NOT_FOUND',
    metadata
  })

/** Returns Dapr's error for a call without the name of the component or of the topic. */
const unnamed = (reason: string, pubsubName: string, message: string, metadata: Target['metadata']): BlockError =>
  new BlockError(
    [404, 'invalidArgument', reason.replace('DAPR', 'ERR')],
    message,
    pubsubDetails(reason, pubsubName, message, metadata)
  )

/** Returns Dapr's error for a bulk request with an invalid entry. */
export function unmarshalable(
  {pubsubName, topic, appId}: {readonly pubsubName: string; readonly topic: string; readonly appId: string},
  why: string
): BlockError {
  const message = `error marshaling events to bytes for topic ${topic} pubsub ${pubsubName}. error: ${why}`
  return new BlockError(
    [400, 'invalidArgument', 'ERR_PUBSUB_EVENTS_SER'],
    message,
    pubsubDetails('DAPR_PUBSUB_MARSHAL_EVENTS', pubsubName, message, {appID: appId, error: why})
  )
}

/** Returns the message of a publication with `rawPayload`: its bytes without a CloudEvent around them. */
const rawMessage = ({data, metadata, trace, isTraceInMetadata}: Publication): BrokerMessage => ({
  data,
  metadata:
    isTraceInMetadata === true ? {...metadata, traceid: trace.traceparent, tracestate: trace.tracestate} : metadata
})
