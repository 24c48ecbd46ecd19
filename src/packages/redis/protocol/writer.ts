import type {RedisReply} from '../connection.ts'
import {Double, formatDouble, NilArray, Push, RedisError, Status, Verbatim, type Result} from '../engine/result.ts'

/** Writes a result in Redis' protocol, version 2 or 3. A character is a byte (latin1). */
export function encodeResult(result: Result, protocol: 2 | 3): string {
  if (typeof result === 'string') return bulk(result)
  if (typeof result === 'number' || typeof result === 'bigint') return `:${result}\r\n`
  if (result === null) return protocol === 3 ? '_\r\n' : '$-1\r\n'
  if (result instanceof Status) return `+${result.text}\r\n`
  if (Array.isArray(result)) return encodeAll('*', result as readonly Result[], protocol)
  if (result instanceof RedisError) return `-${result.message.replaceAll(/[\r\n]+/g, ' ')}\r\n`
  if (result instanceof NilArray) return protocol === 3 ? '_\r\n' : '*-1\r\n'
  if (result instanceof Push) return encodeAll(protocol === 3 ? '>' : '*', result.items, protocol)
  if (result instanceof Double) {
    const text = formatDouble(result.value)
    return protocol === 3 ? `,${text}\r\n` : bulk(text)
  }
  if (result instanceof Verbatim)
    return protocol === 3 ? `=${result.text.length + 4}\r\ntxt:${result.text}\r\n` : bulk(result.text)
  if (result instanceof Map) return encodeMap(result as ReadonlyMap<string, Result>, protocol)
  return encodeAll(protocol === 3 ? '~' : '*', [...(result as ReadonlySet<string>)], protocol)
}

const bulk = (bytes: string): string => `$${bytes.length}\r\n${bytes}\r\n`

function encodeAll(sign: string, items: readonly Result[], protocol: 2 | 3): string {
  let text = `${sign}${items.length}\r\n`
  for (const item of items) text += encodeResult(item, protocol)
  return text
}

function encodeMap(map: ReadonlyMap<string, Result>, protocol: 2 | 3): string {
  let text = protocol === 3 ? `%${map.size}\r\n` : `*${2 * map.size}\r\n`
  for (const [key, value] of map) text += bulk(key) + encodeResult(value, protocol)
  return text
}

/** A result of the engine in the shapes of RESP2. */
export function toReply(result: Result): RedisReply {
  if (typeof result === 'string') return Buffer.from(result, 'latin1')
  if (result === null || typeof result === 'number') return result
  if (Array.isArray(result)) return listOf(result as readonly Result[])
  if (result instanceof Map) return pairsOf(result as ReadonlyMap<string, Result>)
  if (result instanceof RedisError) return new RedisError(Buffer.from(result.message, 'latin1').toString())
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
