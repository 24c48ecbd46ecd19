import type {ComponentType, TypesOf} from '../component.ts'
import type {StateStore} from '../state-store.ts'
import {POSTGRESQL_PROPERTIES} from '../postgresql/properties.ts'
import {REDIS_PROPERTIES} from '../redis/properties.ts'

const POSTGRESQL: ComponentType<StateStore> = {
  properties: [
    ...POSTGRESQL_PROPERTIES,
    'actorStateStore',
    'cleanupInterval',
    'cleanupIntervalInSeconds',
    'keyPrefix',
    'metadataTableName',
    'tableName',
    'tablePrefix'
  ],
  load: async () => (await import('./postgresql.ts')).open,
  versions: ['v2'],
  hasClient: true
}

export const STATE_TYPES: TypesOf<StateStore> = {
  'in-memory': {
    properties: ['actorStateStore', 'keyPrefix'],
    load: async () => (await import('./in-memory.ts')).open,
    livesOn: true
  },
  postgres: POSTGRESQL,
  postgresql: POSTGRESQL,
  redis: {
    properties: [...REDIS_PROPERTIES, 'actorStateStore', 'keyPrefix', 'queryIndexes', 'ttlInSeconds'],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  },
  sqlite: {
    properties: [
      'actorStateStore',
      'busyTimeout',
      'cleanupInterval',
      'connectionString',
      'keyPrefix',
      'metadataTableName',
      'tableName',
      'timeout'
    ],
    load: async () => (await import('./sqlite.ts')).open,
    usesFolder: true,
    versions: ['v2']
  }
}
