import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Database} from '../engine/database.ts'
import {RedisError} from '../engine/result.ts'
import type {Stream} from '../engine/stream.ts'

/** The group, or an error that names it. */
export function groupAt(
  db: Database,
  key: string,
  name: string
): {readonly stream: Stream; readonly group: ConsumerGroup} {
  const stream = db.stream(key)
  const group = stream?.groups.get(name)
  if (stream === undefined || group === undefined)
    throw new RedisError(`NOGROUP No such key '${key}' or consumer group '${name}'`)
  return {stream, group}
}
