import type {OpenComponent} from '../component.ts'
import {openKafka} from '../kafka/open-kafka.ts'
import type {PubSub} from '../pubsub.ts'

/** `pubsub.kafka` (components-contrib: pubsub/kafka): a group of consumers for each app, or of the component. */
export const open: OpenComponent<PubSub> = async options => {
  const kafka = await openKafka(options, true)
  return {
    capabilities: ['BULK_PUBSUB'],
    keepsFailed: kafka.settings.maxRetries !== 0,
    publish: async (topic, message) => kafka.publisher.publish(topic, message),
    subscribe: async ({group, ...rest}) => ({stop: await kafka.read(group, rest)}),
    close: async () => kafka.close()
  }
}
