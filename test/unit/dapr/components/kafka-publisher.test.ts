import t from 'tap'
import {KafkaPublisher} from '../../../../src/dapr/components/kafka/kafka-publisher.ts'
import {kafkaSettings} from '../../../../src/dapr/components/kafka/kafka-settings.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'

t.test('what cannot be published says why no broker takes it', async t => {
  const place = {file: 'bus.yaml', line: 1, column: 1, source: ''}
  const metadata = {brokers: '127.0.0.1:1', authType: 'none', producerRetryMax: '1'}
  const properties = Object.entries(metadata).map(([name, value]) => ({name, value, place}))
  const publisher = new KafkaPublisher(kafkaSettings(new Properties(properties), true))
  t.teardown(async () => publisher.close())
  await t.rejects(publisher.publish('orders', {data: Buffer.from('1'), metadata: {}}), {
    message: 'connect ECONNREFUSED 127.0.0.1:1'
  })
})
