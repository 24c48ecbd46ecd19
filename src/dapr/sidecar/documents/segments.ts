import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherGCM,
  type DecipherGCM,
  type KeyObject
} from 'node:crypto'
import {segmentKey, type Manifest, type SegmentCipher} from './head.ts'
import type {PieceReader, Scattered} from './pieces.ts'

/** Bytes of plain text in each segment. The last one may have fewer. */
const SEGMENT_BYTES = 64 * 1024
const TAG_BYTES = 16

// the casts below: Node's types know the options of both ciphers only for GCM
const optionsOf = {authTagLength: TAG_BYTES} as const
const cipherOf = (cipher: SegmentCipher, key: KeyObject, nonce: Buffer): CipherGCM =>
  createCipheriv(cipher as 'aes-256-gcm', key, nonce, optionsOf)
const decipherOf = (cipher: SegmentCipher, key: KeyObject, nonce: Buffer): DecipherGCM =>
  createDecipheriv(cipher as 'aes-256-gcm', key, nonce, optionsOf)

/** Returns the nonce of a segment: a prefix, its number, and a flag for the last segment. */
function nonceOf({noncePrefix}: Manifest, number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  noncePrefix.copy(nonce)
  nonce.writeUInt32BE(number, noncePrefix.length)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

export async function* encryptSegments(
  reader: PieceReader,
  manifest: Manifest,
  fileKey: Buffer
): AsyncGenerator<Scattered, void> {
  const key = createSecretKey(segmentKey(fileKey, manifest))
  let number = 0
  for await (const {pieces, isLast} of reader.parts(SEGMENT_BYTES)) {
    const cipher = cipherOf(manifest.cipher, key, nonceOf(manifest, number++, isLast))
    const texts = pieces.map(piece => cipher.update(piece))
    cipher.final() // returns nothing for these ciphers
    yield [...texts, cipher.getAuthTag()]
  }
}

/** Decrypts segments. Yields plain text. A forged segment throws, after the segments before it were yielded. */
export async function* decryptSegments(
  reader: PieceReader,
  manifest: Manifest,
  fileKey: Buffer
): AsyncGenerator<Scattered, void> {
  const key = createSecretKey(segmentKey(fileKey, manifest))
  let number = 0
  for await (const {pieces, isLast} of reader.parts(SEGMENT_BYTES + TAG_BYTES)) {
    const plain = opened(pieces, decipherOf(manifest.cipher, key, nonceOf(manifest, number, isLast)))
    if (plain === undefined) throw new Error(`error processing segment ${number}: failed to decrypt segment`)
    number++
    yield plain
  }
}

/** Decrypts one segment; undefined: it is too short or forged. */
function opened(segment: Scattered, decipher: DecipherGCM): Scattered | undefined {
  const {texts, tag} = cut(segment)
  if (texts.length === 0) return undefined
  try {
    decipher.setAuthTag(tag)
    const plain = texts.map(text => decipher.update(text))
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}

/** Splits a segment into its text and its tag. A segment that is not longer than a tag has no text. */
function cut(segment: Scattered): {readonly texts: Scattered; readonly tag: Buffer} {
  const last = segment.at(-1)
  if (last !== undefined && last.length > TAG_BYTES)
    return {texts: [...segment.slice(0, -1), last.subarray(0, -TAG_BYTES)], tag: last.subarray(-TAG_BYTES)}
  const whole = Buffer.concat(segment)
  if (whole.length <= TAG_BYTES) return {texts: [], tag: whole}
  return {texts: [whole.subarray(0, -TAG_BYTES)], tag: whole.subarray(-TAG_BYTES)}
}
