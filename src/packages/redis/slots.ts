import {itemsIn, type Argument, type RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'
import {ownOf} from '../../model/own.ts'

const SLOTS = 16_384
const POLYNOMIAL = 0x1021

/** CRC-16/XMODEM of each byte. */
const TABLE = Uint16Array.from({length: 256}, (_, byte) => {
  let rest = byte << 8
  for (let bit = 0; bit < 8; bit++) rest = rest & 0x8000 ? (rest << 1) ^ POLYNOMIAL : rest << 1
  return rest
})

/** Returns the slot of a key in a cluster; only a part in braces counts, if there is one (Redis: Cluster specification). */
export function slotOf(key: Argument): number {
  const bytes = Buffer.from(key)
  const start = bytes.indexOf('{') + 1
  const end = start === 0 ? -1 : bytes.indexOf('}', start)
  let rest = 0
  for (const byte of end > start ? bytes.subarray(start, end) : bytes)
    rest = ((rest << 8) & 0xffff) ^ (TABLE[(rest >> 8) ^ byte] ?? 0)
  return rest % SLOTS
}

const KEYLESS = new Set(['ping', 'info', 'wait', 'config', 'keys', 'cluster'])
const KEY_AT: Readonly<Record<string, number>> = {eval: 3, xgroup: 2, xinfo: 2}

/** The first key of a command that components send; undefined: any node may answer it. */
export function slotKey(args: readonly Argument[]): Argument | undefined {
  const name = String(args[0]).toLowerCase()
  if (KEYLESS.has(name)) return undefined
  if (name === 'xreadgroup') return args[args.indexOf('STREAMS') + 1]
  return args[ownOf(KEY_AT, name) ?? 1]
}

/** Slots of one master. */
export interface SlotRange {
  readonly from: number
  readonly to: number
  /** `host:port` of the master. */
  readonly node: string
}

/** The host and port of a node, `host:port`. */
export const nodeAddress = (node: string): {readonly host: string; readonly port: number} => ({
  host: node.replace(/:\d+$/, ''),
  port: Number(node.replace(/^.*:/, ''))
})

/** Returns the ranges sorted by slot. A node that does not know its own host is given the one that was asked. */
export const slotsIn = (reply: RedisReply, host: string): readonly SlotRange[] =>
  itemsIn(reply)
    .map(range => {
      const [from, to, master] = itemsIn(range)
      const [name, port] = itemsIn(master)
      return {from: Number(from), to: Number(to), node: `${String(name ?? '') || host}:${String(port)}`}
    })
    .toSorted((a, b) => a.from - b.from)

/** Reads to which node an answer of the node `at` sends a command. Undefined for all other errors. */
export function redirectionIn(
  error: unknown,
  at: string
): {readonly word: 'ASK' | 'MOVED'; readonly node: string} | undefined {
  const [word, , named = ''] = error instanceof RedisError ? error.message.split(' ') : []
  if (word !== 'ASK' && word !== 'MOVED') return undefined
  // an address without a host means the node's own host
  return {word, node: named.startsWith(':') ? nodeAddress(at).host + named : named}
}
