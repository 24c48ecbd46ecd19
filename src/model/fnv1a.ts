/** Returns the hash FNV-1a of 32 bits, unsigned (Fowler, Noll and Vo). */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

const BITS_48 = 0xffff_ffff_ffffn

/** Hashes a text to 12 hexadecimal digits: FNV-1a of 64 bits, folded (RFC 9923). Loading node:crypto instead would delay a start by 6 ms. */
export function shortHash(identity: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(identity)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return ((hash >> 48n) ^ (hash & BITS_48)).toString(16).padStart(12, '0')
}
