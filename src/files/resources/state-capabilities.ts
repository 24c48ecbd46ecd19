/** Capabilities of state stores with a database (components-contrib: state/redis, state/postgresql/v2, state/sqlite). */
export const STATE_CAPABILITIES: readonly string[] = ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']

/** Capabilities of the store in memory (components-contrib: state/in-memory). */
export const MEMORY_CAPABILITIES: readonly string[] = 'ETAG TRANSACTIONAL TTL DELETE_WITH_PREFIX KEYS_LIKE ACTOR'.split(
  ' '
)
