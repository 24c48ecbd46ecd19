import {Double, formatDouble, NilArray, Push, RedisError, Status, Verbatim, type Result} from '../engine/result.ts'

/** Writes a result in Redis' protocol, version 2 or 3. One character is one byte (latin1). */
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
  if (result instanceof Verbatim) return protocol === 3 ? encodeText(result.text) : bulk(result.text)
  if (result instanceof Map) return encodeMap(result as ReadonlyMap<string, Result>, protocol)
  return encodeAll(protocol === 3 ? '~' : '*', [...(result as ReadonlySet<string>)], protocol)
}

const bulk = (bytes: string): string => `$${bytes.length}\r\n${bytes}\r\n`

const encodeText = (text: string): string => `=${text.length + 4}\r\ntxt:${text}\r\n`

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
