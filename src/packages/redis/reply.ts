import type {RedisReply} from './connection.ts'
import {Double, formatDouble, NilArray, Push, RedisError, Status, Verbatim, type Result} from './engine/result.ts'

/** A result of the engine in the shapes of RESP2. */
export function toReply(result: Result): RedisReply {
  if (typeof result === 'string') return Buffer.from(result, 'latin1')
  if (result === null || typeof result === 'number') return result
  if (Array.isArray(result)) return listOf(result as readonly Result[])
  if (result instanceof Map) return pairsOf(result as ReadonlyMap<string, Result>)
  if (result instanceof RedisError) return result
  if (typeof result === 'bigint') return Number(result)
  if (result instanceof Status) return result.text
  if (result instanceof NilArray) return null
  if (result instanceof Double) return Buffer.from(formatDouble(result.value))
  if (result instanceof Verbatim) return Buffer.from(result.text, 'latin1')
  return listOf(result instanceof Push ? result.items : [...(result as ReadonlySet<string>)])
}

// these loops are run for each item of state and each event
function listOf(results: readonly Result[]): RedisReply {
  const replies: RedisReply[] = []
  for (const each of results) replies.push(toReply(each))
  return replies
}

function pairsOf(results: ReadonlyMap<string, Result>): RedisReply {
  const replies: RedisReply[] = []
  for (const [key, value] of results) replies.push(toReply(key), toReply(value))
  return replies
}
