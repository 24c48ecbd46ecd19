import type {Block} from '../../model/dapr/api/api.ts'
import {ownOf} from '../../model/own.ts'

/** The categories of components with calls that Pillion serves. */
const BLOCKS: Readonly<Record<Block, true>> = {
  secretstores: true,
  state: true,
  configuration: true,
  lock: true,
  crypto: true,
  conversation: true,
  pubsub: true,
  bindings: true
}

/** Returns the two parts of a type: `state` and `redis` of `state.redis`. */
export const splitType = (type: string): readonly [category: string, kind: string] => {
  const point = type.indexOf('.')
  return point < 0 ? [type, ''] : [type.slice(0, point), type.slice(point + 1)]
}

/** Whether Pillion serves calls of a category. */
export const isBlock = (category: string): category is Block => Object.hasOwn(BLOCKS, category)

/** Facts about a built type for the reader of its files; the table is next to the code: `dapr/components/block-types.ts`. */
export interface TypeFacts {
  /** The names of its properties, for hints in mistakes; they are found in any capitals. */
  readonly properties: readonly string[]
  /** Its capabilities in Dapr's words, unless its properties change them. */
  readonly capabilities: readonly string[]
}

/** Returns the facts of a type, if it is built. */
export type FactsOfType = (type: string) => TypeFacts | undefined

/** Capabilities of state stores with a database (components-contrib: state/redis, state/postgresql/v2, state/sqlite). */
export const STATE_CAPABILITIES: readonly string[] = ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']

/** Capabilities of the store in memory (components-contrib: state/in-memory). */
export const MEMORY_CAPABILITIES: readonly string[] = 'ETAG TRANSACTIONAL TTL DELETE_WITH_PREFIX KEYS_LIKE ACTOR'.split(
  ' '
)

const MIDDLEWARE_TYPES = ['bearer', 'ratelimit', 'routeralias', 'routerchecker', 'uppercase'] as const

const PREFIX = 'middleware.http.'

export type MiddlewareType = (typeof MIDDLEWARE_TYPES)[number]

export const middlewareType = (type: string): MiddlewareType | undefined =>
  MIDDLEWARE_TYPES.find(each => `${PREFIX}${each}` === type)

/** The property that limits the use of a binding (Dapr: pkg/runtime/processor/binding). */
export const DIRECTION = 'direction'

/** Whether a binding is used in a direction. An empty list of directions allows both. */
export const isForDirection = (direction: string, word: 'input' | 'output'): boolean =>
  direction === '' || namesDirection(direction, word)

/** Whether a direction such as `input, output` contains a word. */
export const namesDirection = (direction: string, word: 'input' | 'output'): boolean =>
  direction.split(',').some(each => each.trim().toLowerCase() === word)

/** The properties of a state store by which its values are encrypted (Dapr: pkg/encryption). */
export const ENCRYPTION_KEYS = ['primaryEncryptionKey', 'secondaryEncryptionKey'] as const

interface KeyProperty {
  readonly name: string
  readonly secret: object | undefined
}

/** Whether a property is an encryption key, in any capitals as in Dapr. */
export const isEncryptionKey = ({name}: {readonly name: string}): boolean =>
  ENCRYPTION_KEYS.some(each => each.toLowerCase() === name.toLowerCase())

/** Returns the mistake in a key, or an empty string. Dapr would store the values in plain text, or could not read them again. */
export function encryptionKeyFault({secret, name}: KeyProperty, secretStore: string): string {
  if (secret === undefined) return `failed to extract encryption key: secretKeyRef cannot be empty (${name})`
  if (secretStore !== '') return ''
  return `failed to extract encryption key: ${name} names a secret, but the Component has no auth.secretStore`
}

/** The types of Components that Dapr 1.18 registers (cmd/daprd/components), by category; several names of one type included. */
const DAPR_TYPES: Readonly<Record<string, string>> = {
  bindings: `alicloud.dingtalk.webhook alicloud.dubbo alicloud.oss alicloud.sls alicloud.tablestore apns aws.dynamodb aws.kinesis aws.s3 aws.ses
    aws.sns aws.sqs azure.blobstorage azure.cosmosdb azure.cosmosdb.gremlinapi azure.eventgrid azure.eventhubs azure.openai azure.servicebusqueues
    azure.signalr azure.storagequeues cloudflare.queues commercetools cron gcp.bucket gcp.pubsub graphql http huawei.obs influx kafka kitex kubemq
    kubernetes localstorage mqtt mqtt3 mysql postgres postgresql postmark rabbitmq redis rethinkdb.statechange rocketmq sftp smtp twilio.sendgrid
    twilio.sms wasm zeebe.command zeebe.jobworker`,
  configuration: 'azure.appconfig kubernetes postgres postgresql redis',
  conversation: 'anthropic aws.bedrock deepseek echo googleai huggingface mistral ollama openai',
  crypto: 'azure.keyvault dapr.jwks dapr.kubernetes.secrets dapr.localstorage',
  lock: 'redis',
  middleware: `http.bearer http.oauth2 http.oauth2clientcredentials http.opa http.ratelimit http.routeralias http.routerchecker http.sentinel
    http.uppercase http.wasm`,
  nameresolution: 'aws.cloudmap consul hashicorp.consul kubernetes mdns nameformat sqlite',
  pubsub: `aws.snssqs azure.eventhubs azure.servicebus azure.servicebus.queues azure.servicebus.topics azure.servicebusqueues gcp.pubsub in-memory
    jetstream kafka kubemq mqtt mqtt3 pulsar rabbitmq redis rocketmq snssqs solace.amqp`,
  secretstores: `alicloud.parameterstore aws.parameterstore aws.secretmanager azure.keyvault gcp.secretmanager hashicorp.vault huaweicloud.csms
    kubernetes local.env local.file tencentcloud.ssm`,
  state: `aerospike alicloud.tablestore aws.dynamodb azure.blobstorage azure.cosmosdb azure.tablestorage cassandra cloudflare.workerskv cockroachdb
    coherence consul couchbase etcd gcp.firestore hashicorp.consul hazelcast in-memory jetstream memcached mongodb mysql oci.objectstorage
    oracledatabase postgres postgresql ravendb redis rethinkdb sqlite sqlite3 sqlserver yugabyte yugabytedb zookeeper`
}

const typesOf = (category: string): readonly string[] => ownOf(DAPR_TYPES, category)?.split(/\s+/) ?? []

/** Whether Dapr's sidecar knows a type. */
export const isDaprType = (type: string): boolean => {
  const [category, kind] = splitType(type)
  return typesOf(category).includes(kind)
}

/** All component types of Dapr. */
export const daprTypes = (): readonly string[] =>
  Object.keys(DAPR_TYPES).flatMap(category => typesOf(category).map(kind => `${category}.${kind}`))
