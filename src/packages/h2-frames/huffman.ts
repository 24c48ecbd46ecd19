import {COMPRESSION_ERROR, ConnectionError} from './frames.ts'

/** Number of bits of each symbol (RFC 7541, appendix B), as digits to base 36; the last is the end of text. The code is canonical, so that the lengths define it. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad6777777777777777777777787' +
  '8djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllml' +
  'nmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu'

const END = 256

/** Binary tree of the code: entries 2n and 2n + 1 are the children of node n. A negative entry is a leaf: -1 - symbol. */
const tree = ((): Int16Array => {
  const nodes = new Int16Array(1024)
  const order = Array.from(LENGTHS, (digit, symbol) => ({bits: Number.parseInt(digit, 36), symbol})).toSorted(
    (a, b) => a.bits - b.bits || a.symbol - b.symbol
  )
  let used = 1
  let code = 0
  let last = order[0]?.bits ?? 0
  for (const {bits, symbol} of order) {
    code *= 2 ** (bits - last)
    last = bits
    let node = 0
    for (let bit = bits - 1; bit > 0; bit--) {
      const at = 2 * node + (Math.floor(code / 2 ** bit) & 1)
      if (nodes[at] === 0) nodes[at] = used++
      node = nodes[at] ?? 0
    }
    nodes[2 * node + (code & 1)] = -1 - symbol
    code++
  }
  return nodes
})()

/** Decodes latin1 bytes. Throws for invalid ones: an end mark within the text, or padding that is not at most 7 bits of 1. */
export const decodeHuffman = (bytes: string): string => {
  let text = ''
  let node = 0
  let sinceSymbol = 0
  let isPadding = true
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes.charCodeAt(at)
    for (let bit = 7; bit >= 0; bit--) {
      const value = (byte >> bit) & 1
      const next = tree[2 * node + value] ?? 0
      sinceSymbol++
      isPadding &&= value === 1
      if (next >= 0) {
        node = next
        continue
      }
      if (next === -1 - END) throw new ConnectionError(COMPRESSION_ERROR, 'the end of a text within it')
      text += String.fromCharCode(-1 - next)
      node = 0
      sinceSymbol = 0
      isPadding = true
    }
  }
  if (sinceSymbol > 7 || !isPadding) throw new ConnectionError(COMPRESSION_ERROR, 'a text that does not end')
  return text
}
