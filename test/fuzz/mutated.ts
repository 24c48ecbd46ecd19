import type {Random} from './random.ts'

/** Bytes that parsers look for. */
const ODD_BYTES = [0, 1, 9, 10, 13, 32, 44, 58, 59, 127, 128, 255] as const
const MOST_INSERTED = 40

/** The bytes with some of them flipped, taken out, doubled or put in; `words`: what else may be put in. */
export function mutated(random: Random, bytes: Buffer, words: readonly string[]): Buffer {
  let result = bytes
  for (let count = 1 + random.below(3); count > 0; count--) result = mutatedOnce(random, result, words)
  return result
}

function mutatedOnce(random: Random, bytes: Buffer, words: readonly string[]): Buffer {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + random.below(MOST_INSERTED))
  const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([
        before,
        middle.map((byte, index) => (index === 0 ? byte ^ (1 << random.below(8)) : byte)),
        after
      ])
    case 1:
      return Buffer.concat([before, Buffer.from([random.pick(ODD_BYTES)]), bytes.subarray(at + 1)])
    case 2:
      return Buffer.concat([before, after])
    case 3:
      return Buffer.concat([before, middle, middle, after])
    case 4:
      return Buffer.concat([before, Buffer.from(random.pick(words), 'latin1'), bytes.subarray(at)])
    case 5:
      return Buffer.concat([before, random.bytes(1 + random.below(8)), bytes.subarray(at)])
    default:
      return random.oneIn(2) ? before : Buffer.concat([after, before, middle])
  }
}
