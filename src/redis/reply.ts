import type {Reply} from './connection.ts'
import {Double, formatDouble, NilArray, Push, RedisError, Status, Verbatim, type Result} from './engine/result.ts'

/** A result of the engine in the shapes of RESP2. */
export function toReply(result: Result): Reply {
  if (typeof result === 'string') return Buffer.from(result, 'latin1')
  if (result === null || typeof result === 'number' || result instanceof RedisError) return result
  if (typeof result === 'bigint') return Number(result)
  if (result instanceof Status) return result.text
  if (result instanceof NilArray) return null
  if (result instanceof Double) return Buffer.from(formatDouble(result.value))
  if (result instanceof Verbatim) return Buffer.from(result.text, 'latin1')
  if (result instanceof Push) return result.items.map(toReply)
  if (result instanceof Map)
    return [...(result as ReadonlyMap<string, Result>)].flatMap(([key, value]) => [toReply(key), toReply(value)])
  return [...(result as Iterable<Result>)].map(toReply)
}
