import {UNLOCK_SCRIPT} from '#redis'
import type {OpenComponent} from '../component.ts'
import {openRedis} from '../redis/open-redis.ts'
import type {LockStore} from '../lock-store.ts'

/** `lock.redis`: a key that expires, deleted by its owner alone (components-contrib: lock/redis). */
export const open: OpenComponent<LockStore> = async options => {
  const redis = await openRedis('error connecting to redis', options)
  return {
    capabilities: [],
    lock: async (key, owner, expiryMs) =>
      (await redis.command(['SET', key, owner, 'NX', 'PX', expiryMs.toString()])) !== null,
    unlock: async (key, owner) => {
      const outcome = await redis.command(['EVAL', UNLOCK_SCRIPT, '1', key, owner])
      if (outcome === -1) return 'not-there'
      return outcome === -2 ? 'not-owned' : 'done'
    },
    close: async () => redis.close()
  }
}
