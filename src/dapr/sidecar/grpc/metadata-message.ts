import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {mapField} from '../../../proxy/net/grpc/error-info.ts'
import {activeActors, extendedOf, type Facts, type Subscription} from '../http/metadata.ts'

/** ActorRuntime.ActorRuntimeStatus */
const DISABLED = 1
const RUNNING = 2

const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  value === '' ? writer : writer.tag(field, WireType.LengthDelimited).string(value)

const number = (writer: BinaryWriter, field: number, value: number): BinaryWriter =>
  value > 0 ? writer.tag(field, WireType.Varint).int32(value) : writer

const within = (writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void => {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}

/** GetMetadataResponse, by its field numbers (dapr/proto/runtime/v1/metadata.proto): the same as `/v1.0/metadata`. */
export const metadataMessage = (id: string, facts: Facts, custom: ReadonlyMap<string, string>): Uint8Array => {
  const writer = text(new BinaryWriter(), 1, id)
  writeActors(writer, 2, facts)
  for (const {name, type, version, capabilities} of facts.components)
    within(writer, 3, inner => {
      text(text(text(inner, 1, name), 2, type), 3, version)
      for (const each of capabilities) text(inner, 4, each)
    })
  mapField(writer, 4, extendedOf(facts, custom))
  for (const each of facts.subscriptions) within(writer, 5, inner => writeSubscription(inner, each))
  for (const name of facts.httpEndpoints) within(writer, 6, inner => text(inner, 1, name))
  within(writer, 7, inner => writeConnection(inner, facts.connection))
  text(writer, 8, facts.runtimeVersion)
  for (const feature of facts.enabledFeatures) text(writer, 9, feature)
  within(writer, 10, inner => writeActorRuntime(inner, facts))
  if (facts.scheduler.length > 0)
    within(writer, 11, inner => {
      for (const address of facts.scheduler) text(inner, 1, address)
    })
  const {connectedWorkers} = facts
  if (connectedWorkers !== undefined) within(writer, 12, inner => number(inner, 1, connectedWorkers))
  for (const name of facts.mcpServers) within(writer, 13, inner => text(inner, 1, name))
  for (const name of facts.accessPolicies) within(writer, 14, inner => text(inner, 1, name))
  for (const name of facts.resiliencies) within(writer, 15, inner => text(inner, 1, name))
  return writer.finish()
}

const writeActors = (writer: BinaryWriter, field: number, facts: Facts): void => {
  for (const {type, count} of activeActors(facts))
    within(writer, field, inner => number(text(inner, 1, type), 2, count))
}

function writeActorRuntime(writer: BinaryWriter, facts: Facts): void {
  const {actors} = facts
  if (actors === undefined) return void text(number(writer, 1, DISABLED), 4, 'placement: disconnected')
  number(writer, 1, actors.isReady ? RUNNING : 0)
  writeActors(writer, 2, facts)
  text(number(writer, 3, actors.isReady ? 1 : 0), 4, 'placement: connected')
}

/** PubsubSubscriptionType */
const TYPES: Readonly<Record<Subscription['type'], number>> = {DECLARATIVE: 1, PROGRAMMATIC: 2, STREAMING: 3}

const writeSubscription = (
  writer: BinaryWriter,
  {pubsubName, topic, metadata, rules, deadLetterTopic, type}: Subscription
): void => {
  mapField(text(text(writer, 1, pubsubName), 2, topic), 3, metadata)
  within(writer, 4, inner => {
    for (const {match, path} of rules) within(inner, 1, rule => text(text(rule, 1, match), 2, path))
  })
  number(text(writer, 5, deadLetterTopic), 6, TYPES[type])
}

const writeConnection = (writer: BinaryWriter, connection: Facts['connection']): void => {
  const {port, protocol, channelAddress, maxConcurrency, health} = connection
  number(text(text(number(writer, 1, port), 2, protocol), 3, channelAddress), 4, maxConcurrency)
  if (health === undefined) return
  within(writer, 5, inner =>
    number(text(text(text(inner, 1, health.path), 2, health.interval), 3, health.timeout), 4, health.threshold)
  )
}
