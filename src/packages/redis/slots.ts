import type {Argument} from './connection.ts'
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
