import type {ComponentType, TypesOf} from '../component.ts'
import type {ConfigurationStore} from '../configuration-store.ts'
import {POSTGRESQL_PROPERTIES, REDIS_PROPERTIES} from '../server-properties.ts'

const POSTGRESQL: ComponentType<ConfigurationStore> = {
  properties: [...POSTGRESQL_PROPERTIES, 'notifyChannel', 'pgNotifyChannel', 'table'],
  capabilities: [],
  load: async () => (await import('./postgresql.ts')).open,
  hasClient: true
}

export const CONFIGURATION_TYPES: TypesOf<ConfigurationStore> = {
  postgres: POSTGRESQL,
  postgresql: POSTGRESQL,
  redis: {
    properties: REDIS_PROPERTIES,
    capabilities: [],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
