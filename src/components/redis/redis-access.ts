import type {RedisAddress} from '../../redis/client-connection.ts'
import type {RedisConnection} from '../../redis/connection.ts'

/** Says where a component's Redis is: a real one where one answers, else the built-in one. */
export interface RedisAccess {
  /** Rejects with what the machine says. */
  connect(address: RedisAddress): Promise<RedisConnection>
}
