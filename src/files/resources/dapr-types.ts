import {splitType} from './component-types.ts'
import {ownOf} from '../../model/own.ts'

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

/** Whether a sidecar of Dapr would know a type. */
export const isDaprType = (type: string): boolean => {
  const [category, kind] = splitType(type)
  return typesOf(category).includes(kind)
}

/** All component types of Dapr. */
export const daprTypes = (): readonly string[] =>
  Object.keys(DAPR_TYPES).flatMap(category => typesOf(category).map(kind => `${category}.${kind}`))
