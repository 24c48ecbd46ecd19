import type {OpenOptions} from '../component.ts'
import {KafkaGroup} from './kafka-group.ts'
import {KafkaPublisher, bottomOf} from './kafka-publisher.ts'
import type {TopicRead} from './topic-stream.ts'
import {kafkaSettings, type KafkaSettings} from './kafka-settings.ts'

/** The parts that components of Kafka share. */
export interface Kafka {
  readonly settings: KafkaSettings
  readonly publisher: KafkaPublisher
  /** Reads a topic as a member of the component's group, or of the group `own` if the component names none. The returned function stops reading. */
  read(own: string, topic: TopicRead): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** Connects a component to its brokers; `hasRetries`: failed records are handled again unless a property says otherwise. */
export async function openKafka({properties}: OpenOptions, hasRetries: boolean): Promise<Kafka> {
  const settings = kafkaSettings(properties, hasRetries)
  const publisher = new KafkaPublisher(settings)
  try {
    await publisher.check()
  } catch (error) {
    await publisher.close().catch(() => undefined)
    properties.fault('brokers', `kafka error: no broker answers at ${properties.text('brokers')}: ${bottomOf(error)}`)
  }
  const groups: {readonly id: string; readonly group: KafkaGroup}[] = []
  return {
    settings,
    publisher,
    read: async (own, topic) => {
      const id = settings.group || own
      const known = groups.find(each => each.id === id && !each.group.has(topic.topic))
      const group = known?.group ?? new KafkaGroup(id, settings)
      if (known === undefined) groups.push({id, group})
      return group.read(topic)
    },
    close: async () => {
      const isReading = groups.some(({group}) => group.isReading)
      const closed = Promise.all(groups.map(async ({group}) => group.close())).then(async () => publisher.close())
      // an event that the app handles now may still be committed, or go to a dead letter topic
      if (isReading) void closed.catch(() => undefined)
      else await closed
    }
  }
}
