import {namesThisMachine, portsNamed} from '../../model/moved-ports.ts'
import type {Property} from './properties.ts'
import {ownOf} from '../../model/own.ts'

/** The default ports of clients of components, by the end of the type. */
const USUAL: Readonly<Record<string, number>> = {
  redis: 6379,
  postgresql: 5432,
  postgres: 5432,
  rabbitmq: 5672,
  kafka: 9092,
  mysql: 3306,
  mongodb: 27_017
}

/** The ports of this machine at which a component has its server. */
export function serverPorts(
  type: string,
  properties: readonly Pick<Property, 'name' | 'value'>[]
): ReadonlySet<number> {
  const named = portsNamed(properties)
  const usual = ownOf(USUAL, type.slice(type.lastIndexOf('.') + 1))
  const isUsual = named.size === 0 && properties.some(({value}) => namesThisMachine(value))
  return isUsual && usual !== undefined ? new Set([usual]) : named
}
