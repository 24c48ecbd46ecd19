import {filled, type Properties} from '../properties.ts'

export const PREFIX = 'rabbitmq pub/sub error:'
const SECOND_MS = 1000
const KINDS = ['fanout', 'topic', 'direct', 'headers']

/** The settings of `pubsub.rabbitmq` (components-contrib: pubsub/rabbitmq/metadata.go); times in ms. */
export interface RabbitSettings {
  /** Consumer id. An empty string means the app's id. */
  readonly consumerId: string
  readonly durable: boolean
  readonly deletedWhenUnused: boolean
  readonly exchangeKind: string
  readonly autoAck: boolean
  readonly requeueInFailure: boolean
  readonly enableDeadLetter: boolean
  /** Maximum number of unacknowledged messages of a subscription; 0: no limit of its own. */
  readonly prefetchCount: number
  /** Messages are handled one after the other. */
  readonly isSingle: boolean
  /** 2: messages outlive a restart of the broker. */
  readonly deliveryMode: number
  readonly reconnectWaitMs: number
  /** 0: no limit. */
  readonly maxLen: number
  readonly maxLenBytes: number
  /** Time to live, at most 32 bits as RabbitMQ requires. Undefined if messages do not expire. */
  readonly ttlMs: number | undefined
  readonly hasMessageProperties: boolean
}

export interface RabbitAddress {
  readonly url: string
  /** '': none. */
  readonly clientName: string
  readonly isExternal: boolean
  readonly tls: {readonly ca?: string; readonly cert?: string; readonly key?: string}
}

/** Throws a ComponentFault. */
export function rabbitSettings(properties: Properties): RabbitSettings {
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
  const ttlMs = properties.has(ttlName) ? properties.durationMs(ttlName, 0, SECOND_MS, 2 ** 32 - 1) : undefined
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

export const addressProperty = (properties: Properties): string =>
  ['connectionString', 'host', 'hostname'].find(name => properties.has(name)) ?? 'hostname'

/** Throws a ComponentFault, which never shows a connection string: it may contain a password. */
export function rabbitAddress(properties: Properties): RabbitAddress {
  const name = addressProperty(properties)
  const protocol = properties.text('protocol')
  const url = name === 'hostname' ? urlOf(properties, protocol || 'amqp') : properties.text(name)
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['amqp:', 'amqps:'].includes(parsed.protocol) || parsed.host === '')
    return properties.fault(name, `${PREFIX} ${name} must be a URL like amqp://host:5672`)
  if (protocol !== '' && parsed.protocol !== `${protocol}:`)
    properties.fault('protocol', `${PREFIX} protocol does not match connection string, protocol: ${protocol}`)
  const heartbeatMs = properties.durationMs('heartBeat', 10 * SECOND_MS, SECOND_MS)
  if (!parsed.searchParams.has('heartbeat'))
    parsed.searchParams.set('heartbeat', Math.ceil(heartbeatMs / SECOND_MS).toString())
  const [ca = '', cert = '', key = ''] = ['caCert', 'clientCert', 'clientKey'].map(each => properties.text(each))
  const isExternal = properties.boolean('saslExternal')
  if (isExternal && (ca === '' || cert === '' || key === ''))
    properties.fault(
      'saslExternal',
      'saslExternal can only be set to true, when all these properties are set: caCert, clientCert, clientKey'
    )
  return {url: parsed.href, clientName: properties.text('clientName'), isExternal, tls: filled({ca, cert, key})}
}

function urlOf(properties: Properties, protocol: string): string {
  const [user, password] = ['username', 'password'].map(name => encodeURIComponent(properties.text(name)))
  const login = user === '' ? '' : `${user}${password === '' ? '' : `:${password}`}@`
  return `${protocol}://${login}${properties.text('hostname') || 'localhost'}`
}
