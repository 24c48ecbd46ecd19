import {messageOf} from '../../model/errors.ts'
import type {OpenComponent} from '../component.ts'
import type {Properties} from '../properties.ts'
import type {PubSub} from '../pubsub.ts'
import {RabbitBroker} from './rabbitmq-broker.ts'

const PREFIX = 'rabbitmq pub/sub error:'
const SECOND_MS = 1000
const KINDS = ['fanout', 'topic', 'direct', 'headers']

/** The settings of `pubsub.rabbitmq` (components-contrib: pubsub/rabbitmq/metadata.go); times in ms. */
export interface RabbitSettings {
  /** '' = the app's own id. */
  readonly consumerId: string
  readonly durable: boolean
  readonly deletedWhenUnused: boolean
  readonly exchangeKind: string
  readonly autoAck: boolean
  readonly requeueInFailure: boolean
  readonly enableDeadLetter: boolean
  /** Messages that a subscription has at once; 0: no limit of its own. */
  readonly prefetchCount: number
  /** One message after the other. */
  readonly isSingle: boolean
  /** 2: messages outlive a restart of the broker. */
  readonly deliveryMode: number
  readonly reconnectWaitMs: number
  /** 0: no limit. */
  readonly maxLen: number
  readonly maxLenBytes: number
  /** Undefined: messages live for ever. */
  readonly ttlMs: number | undefined
  readonly hasMessageProperties: boolean
}

/** What a connection is made of. */
export interface RabbitAddress {
  readonly url: string
  /** '' = none. */
  readonly clientName: string
  readonly isExternal: boolean
  readonly tls: {readonly ca?: string; readonly cert?: string; readonly key?: string}
}

/** `pubsub.rabbitmq`: a topic is an exchange, a consumer group a queue bound to it (components-contrib: pubsub/rabbitmq). */
export const open: OpenComponent<PubSub> = async ({properties, warn}) => {
  const settings = settingsOf(properties)
  const address = addressOf(properties)
  try {
    return await RabbitBroker.open(address, settings, warn)
  } catch (error) {
    const {host} = new URL(address.url)
    return properties.fault(addressProperty(properties), `${PREFIX} cannot connect to ${host}: ${reasonOf(error)}`)
  }
}

function settingsOf(properties: Properties): RabbitSettings {
  const exchangeKind = properties.text('exchangeKind') || 'fanout'
  if (!KINDS.includes(exchangeKind))
    properties.fault('exchangeKind', `${PREFIX} invalid RabbitMQ exchange kind ${exchangeKind}`)
  const deliveryMode = properties.integer('deliveryMode', 0)
  if (deliveryMode < 0 || deliveryMode > 2)
    properties.fault('deliveryMode', `${PREFIX} invalid RabbitMQ delivery mode, accepted values are between 0 and 2`)
  const concurrencyName = properties.has('concurrencyMode') ? 'concurrencyMode' : 'concurrency'
  const concurrency = properties.text(concurrencyName) || 'parallel'
  if (!['single', 'parallel'].includes(concurrency))
    properties.fault(concurrencyName, `invalid ${concurrencyName} ${concurrency}`)
  const prefetchCount = properties.integer('prefetchCount', 0)
  if (prefetchCount < 0 || prefetchCount > 255)
    properties.fault('prefetchCount', 'prefetchCount must be between 0 and 255')
  const ttlName = properties.has('ttlInSeconds') ? 'ttlInSeconds' : 'ttl'
  const ttlMs = properties.has(ttlName) ? properties.durationMs(ttlName, 0, SECOND_MS) : undefined
  return {
    consumerId: properties.text('consumerID'),
    durable: properties.boolean('durable', true),
    deletedWhenUnused: properties.boolean('deletedWhenUnused', true),
    exchangeKind,
    autoAck: properties.boolean('autoAck'),
    requeueInFailure: properties.boolean('requeueInFailure'),
    enableDeadLetter: properties.boolean('enableDeadLetter'),
    prefetchCount,
    isSingle: concurrency === 'single',
    deliveryMode,
    reconnectWaitMs: properties.durationMs('reconnectWaitSeconds', 3 * SECOND_MS, SECOND_MS),
    maxLen: properties.integer('maxLen', 0),
    maxLenBytes: properties.integer('maxLenBytes', 0),
    ttlMs,
    hasMessageProperties: properties.boolean('publishMessagePropertiesToMetadata')
  }
}

const addressProperty = (properties: Properties): string =>
  ['connectionString', 'host', 'hostname'].find(name => properties.has(name)) ?? 'hostname'

/** Faults never show a connection string: it may hold a password. */
function addressOf(properties: Properties): RabbitAddress {
  const name = addressProperty(properties)
  const protocol = properties.text('protocol')
  const url = name === 'hostname' ? urlOf(properties, protocol || 'amqp') : properties.text(name)
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['amqp:', 'amqps:'].includes(parsed.protocol) || parsed.host === '')
    return properties.fault(name, `${PREFIX} ${name} must be a URL like amqp://user:password@host:5672`)
  if (protocol !== '' && parsed.protocol !== `${protocol}:`)
    properties.fault('protocol', `${PREFIX} protocol does not match connection string, protocol: ${protocol}`)
  const heartbeatMs = properties.durationMs('heartBeat', 10 * SECOND_MS, SECOND_MS)
  if (!parsed.searchParams.has('heartbeat'))
    parsed.searchParams.set('heartbeat', Math.ceil(heartbeatMs / SECOND_MS).toString())
  const [ca, cert, key] = ['caCert', 'clientCert', 'clientKey'].map(each => properties.text(each))
  const isExternal = properties.boolean('saslExternal')
  if (isExternal && (ca === '' || cert === '' || key === ''))
    properties.fault(
      'saslExternal',
      'saslExternal can only be set to true, when all these properties are set: caCert, clientCert, clientKey'
    )
  return {
    url: parsed.href,
    clientName: properties.text('clientName'),
    isExternal,
    tls: {...(ca !== '' && {ca}), ...(cert !== '' && {cert}), ...(key !== '' && {key})}
  }
}

function urlOf(properties: Properties, protocol: string): string {
  const [user, password] = ['username', 'password'].map(name => encodeURIComponent(properties.text(name)))
  const login = user === '' ? '' : `${user}${password === '' ? '' : `:${password}`}@`
  return `${protocol}://${login}${properties.text('hostname') || 'localhost'}`
}

/** A host with several addresses fails with one error for each. */
const reasonOf = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error)
