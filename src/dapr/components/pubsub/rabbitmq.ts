import type {OpenComponent} from '../component.ts'
import {connectFailure} from '../properties.ts'
import type {PubSub} from '../pubsub.ts'
import {RabbitBroker} from './rabbitmq-broker.ts'
import {rabbitAddress, addressProperty, PREFIX, rabbitSettings} from './rabbitmq-settings.ts'

/** `pubsub.rabbitmq`: a topic is an exchange, a consumer group a queue bound to it (components-contrib: pubsub/rabbitmq). */
export const open: OpenComponent<PubSub> = async ({properties, warn}) => {
  const settings = rabbitSettings(properties)
  const address = rabbitAddress(properties)
  return RabbitBroker.open(address, settings, warn).catch((error: unknown) => {
    const {host} = new URL(address.url)
    const why = `${PREFIX} cannot connect to ${host}: ${connectFailure(error)}`
    return properties.fault(addressProperty(properties), why)
  })
}
