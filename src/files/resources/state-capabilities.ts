/** What state stores with a database can do, in Dapr's words (components-contrib: state/redis, state/postgresql/v2, state/sqlite). */
export const STATE_CAPABILITIES: readonly string[] = ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']

/** What the store in memory can do (components-contrib: state/in-memory). */
export const MEMORY_CAPABILITIES: readonly string[] = 'ETAG TRANSACTIONAL TTL DELETE_WITH_PREFIX KEYS_LIKE ACTOR'.split(
  ' '
)
