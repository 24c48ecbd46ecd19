import type {RedisAddress, RedisConnection} from '#redis'
import type {Apart} from '../init-clock.ts'
import type {Sentinels} from './sentinel-redis.ts'

/** Who answers: one server, the nodes of a cluster, or the master that sentinels name. */
export type RedisTarget = RedisAddress & {readonly isCluster?: boolean; readonly sentinels?: Sentinels}

/** Says where a component's Redis is: a real one where one answers, else the built-in one. */
export interface RedisAccess {
  /** Rejects with what the machine says. Code is loaded, and the built-in one started, apart. */
  connect(target: RedisTarget, apart?: Apart): Promise<RedisConnection>
}
