import {ENCRYPTION_KEYS, MEMORY_CAPABILITIES, STATE_CAPABILITIES} from '../../../files/resources/component-types.ts'
import type {ComponentType, TypesOf} from '../component.ts'
import type {StateStore} from '../state-store.ts'
import {POSTGRESQL_PROPERTIES, RETRIED_PROPERTIES} from '../server-properties.ts'

/** The properties that all state stores have. */
const STORE_PROPERTIES = [
  'actorStateStore',
  'keyPrefix',
  'outboxDiscardWhenMissingState',
  'outboxPublishPubsub',
  'outboxPublishTopic',
  'outboxPubsub',
  ...ENCRYPTION_KEYS
]

const POSTGRESQL: ComponentType<StateStore> = {
  properties: [
    ...POSTGRESQL_PROPERTIES,
    ...STORE_PROPERTIES,
    'cleanupInterval',
    'cleanupIntervalInSeconds',
    'metadataTableName',
    'tableName',
    'tablePrefix'
  ],
  capabilities: STATE_CAPABILITIES,
  load: async () => (await import('./postgresql.ts')).open,
  versions: ['v2'],
  hasClient: true
}

export const STATE_TYPES: TypesOf<StateStore> = {
  'in-memory': {
    properties: STORE_PROPERTIES,
    capabilities: MEMORY_CAPABILITIES,
    load: async () => (await import('./in-memory.ts')).open,
    livesOn: true,
    hasNoSettings: true
  },
  postgres: POSTGRESQL,
  postgresql: POSTGRESQL,
  redis: {
    properties: [...RETRIED_PROPERTIES, ...STORE_PROPERTIES, 'queryIndexes', 'ttlInSeconds'],
    capabilities: STATE_CAPABILITIES,
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  },
  sqlite: {
    properties: [
      ...STORE_PROPERTIES,
      ...'busyTimeout cleanupInterval cleanupIntervalInSeconds connectionString disableWAL metadataTableName tableName timeout timeoutInSeconds url'.split(
        ' '
      )
    ],
    capabilities: STATE_CAPABILITIES,
    load: async () => (await import('./sqlite.ts')).open,
    usesFolder: true,
    versions: ['v2']
  }
}
