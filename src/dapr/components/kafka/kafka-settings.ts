import type {BaseOptions} from '@platformatic/kafka'
import {filled, type Properties} from '../properties.ts'
import {ownOf} from '../../../model/own.ts'

/** The settings of components of Kafka (components-contrib: common/component/kafka/metadata.go); times in ms. */
export interface KafkaSettings {
  readonly client: BaseOptions
  /** Consumer group; '': the app's id. */
  readonly group: string
  readonly assignor: 'range' | 'roundrobin'
  /** The offset at which a group without a committed one begins. */
  readonly start: 'latest' | 'earliest'
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly fetchMin: number
  readonly fetchMax: number
  /** Replicas that confirm a published record; -1: all; 1: the leader; 0: none. */
  readonly acks: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Number of retries of a failed record, and the pause before each; -1: no limit. */
  readonly maxRetries: number
  readonly retryMs: number
  /** Delay before a lost connection is opened again. */
  readonly reconnectMs: number
  readonly escapeHeaders: boolean
  /** Metadata that does not become headers, and headers that do not become metadata. */
  readonly excluded: RegExp | undefined
}

const SECOND_MS = 1000
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const ACKS: Readonly<Record<string, number>> = {all: -1, local: 1, none: 0}
/** Delay between two attempts of the client's own, in ms. */
const RETRY_DELAY_MS = 250

/** `hasRetries`: failed records are handled again unless a property says otherwise. */
export function kafkaSettings(properties: Properties, hasRetries: boolean): KafkaSettings {
  const dialMs = properties.durationMs('dialTimeout', 30 * SECOND_MS, SECOND_MS)
  const policy = properties.text('backOffPolicy') || 'constant'
  if (policy !== 'constant')
    properties.fault('backOffPolicy', `backOffPolicy: "${policy}" is not supported here, only constant`)
  if (properties.has('schemaRegistryURL'))
    properties.fault('schemaRegistryURL', 'a schema registry is not supported here')
  const isRepeated = properties.boolean('consumeRetryEnabled', hasRetries)
  return {
    client: {
      clientId: properties.text('clientID') || 'dapr',
      bootstrapBrokers: brokersOf(properties),
      connectTimeout: dialMs,
      retries: properties.integer('producerRetryMax', 5),
      retryDelay: RETRY_DELAY_MS,
      autocreateTopics: true,
      ...accessOf(properties)
    },
    group: properties.text('consumerGroup') || properties.text('consumerID'),
    assignor: oneOf(properties, 'consumerGroupRebalanceStrategy', ['range', 'roundrobin']),
    start: {newest: 'latest' as const, oldest: 'earliest' as const}[
      oneOf(properties, 'initialOffset', ['newest', 'oldest'])
    ],
    sessionTimeoutMs: properties.durationMs('sessionTimeout', 10 * SECOND_MS, SECOND_MS),
    heartbeatIntervalMs: properties.durationMs('heartbeatInterval', 3 * SECOND_MS, SECOND_MS),
    fetchMin: properties.integer('consumerFetchMin', 1),
    fetchMax: properties.integer('consumerFetchDefault', 1024 * 1024),
    acks: ownOf(ACKS, oneOf(properties, 'producerRequiredAcks', ['all', 'local', 'none'])) ?? -1,
    compression: oneOf(properties, 'compression', COMPRESSIONS),
    maxRetries: isRepeated ? properties.integer('backOffMaxRetries', -1) : 0,
    retryMs: properties.durationMs('backOffDuration', 5 * SECOND_MS),
    reconnectMs: properties.durationMs('consumeRetryInterval', 100),
    escapeHeaders: properties.boolean('escapeHeaders'),
    excluded: excludedOf(properties)
  }
}

/** Reads a property with fixed words. The first word is the default. */
function oneOf<T extends string>(properties: Properties, name: string, words: readonly [T, ...T[]]): T {
  const text = properties.text(name).toLowerCase()
  const found = words.find(word => word === (text || words[0]))
  return (
    found ??
    properties.fault(name, `${name}: "${properties.text(name)}" is not supported here, only ${words.join(', ')}`)
  )
}

function brokersOf(properties: Properties): string[] {
  const text = properties.text('brokers')
  if (text === '') properties.fault('brokers', "kafka error: missing 'brokers' attribute")
  const brokers = text.split(',').map(each => each.trim())
  const wrong = brokers.find(each => !/^(?:\[[^\]]+\]|[^:\s]+):\d+$/.test(each))
  return wrong === undefined ? brokers : properties.fault('brokers', `brokers: "${wrong}" is no host and port`)
}

function excludedOf(properties: Properties): RegExp | undefined {
  const text = properties.text('excludeHeaderMetaRegex')
  if (text === '') return undefined
  try {
    return new RegExp(text)
  } catch {
    return properties.fault('excludeHeaderMetaRegex', `excludeHeaderMetaRegex: "${text}" is no regular expression`)
  }
}

const AUTH_TYPES = ['none', 'password', 'mtls', 'certificate']

/** Reads the settings of TLS and SASL. The file must have `authType`, or the older `authRequired`. */
function accessOf(properties: Properties): Pick<BaseOptions, 'tls' | 'sasl'> {
  const isOld = !properties.has('authType') && properties.has('authRequired')
  const old = !properties.boolean('authRequired') ? 'none' : properties.has('saslPassword') ? 'password' : 'mtls'
  const type = isOld ? old : properties.text('authType').toLowerCase()
  if (type === '') properties.fault('authType', "kafka error: 'authType' attribute was missing or empty")
  if (!AUTH_TYPES.includes(type))
    properties.fault('authType', `authType: "${type}" is not supported here, only ${AUTH_TYPES.join(', ')}`)
  const text = (name: string, why: string): string => properties.text(name) || properties.fault('authType', why)
  const hasTls = type !== 'none' && !properties.boolean('disableTls')
  const [ca = '', cert = '', key = ''] = ['caCert', 'clientCert', 'clientKey'].map(name => properties.text(name))
  if (type === 'certificate') text('caCert', "missing CA certificate property 'caCert' for authType 'certificate'")
  if (type === 'mtls' && (cert === '') !== (key === ''))
    properties.fault('authType', 'kafka error: clientKey or clientCert is missing')
  const mechanism = properties.text('saslMechanism')
  return {
    ...(hasTls && {tls: {...filled({ca, cert, key}), rejectUnauthorized: !properties.boolean('skipVerify')}}),
    ...(type === 'password' && {
      sasl: {
        mechanism: mechanism === 'SHA-256' ? 'SCRAM-SHA-256' : mechanism === 'SHA-512' ? 'SCRAM-SHA-512' : 'PLAIN',
        username: text('saslUsername', "kafka error: missing SASL Username for authType 'password'"),
        password: text('saslPassword', "kafka error: missing SASL Password for authType 'password'")
      }
    })
  }
}
