import {beginAll} from '../../../model/begin-all.ts'
import {bindingOf, type Binding} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {openKafka} from '../kafka/open-kafka.ts'

/** `bindings.kafka` (components-contrib: bindings/kafka): publishes to `publishTopic`, reads `topics`. */
export const open: OpenComponent<Binding> = async options => {
  const kafka = await openKafka(options, false)
  const publishTopic = options.properties.text('publishTopic')
  const names = options.properties.text('topics').split(/[\s,]+/)
  const topics = names.filter(topic => topic !== '')
  return bindingOf(options, {
    output: {
      operations: ['create'],
      invoke: async ({data, metadata}) => {
        if (publishTopic === '') throw new Error('kafka binding: publishTopic is not set')
        await kafka.publisher.publish(publishTopic, {data, metadata})
        return undefined
      }
    },
    input: {
      read: async reading => {
        if (topics.length === 0)
          reading.log('warn', 'kafka binding: no topic defined, input bindings will not be started')
        return {stop: await beginAll(topics, async topic => kafka.read('', {...reading, topic, atOnce: 0}))}
      }
    },
    close: async () => kafka.close()
  })
}
