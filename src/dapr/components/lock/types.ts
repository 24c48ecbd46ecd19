import type {TypesOf} from '../component.ts'
import type {LockStore} from '../lock-store.ts'
import {REDIS_PROPERTIES} from '../redis/properties.ts'

export const LOCK_TYPES: TypesOf<LockStore> = {
  redis: {
    properties: [...REDIS_PROPERTIES, 'keyPrefix', 'maxRetries', 'maxRetryBackoff'],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
