import type {TypesOf} from '../component.ts'
import type {LockStore} from '../lock-store.ts'
import {RETRIED_PROPERTIES} from '../server-properties.ts'

export const LOCK_TYPES: TypesOf<LockStore> = {
  redis: {
    properties: [...RETRIED_PROPERTIES, 'keyPrefix'],
    capabilities: [],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
