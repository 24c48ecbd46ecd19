import {createCipheriv, createDecipheriv, type CipherGCM, type DecipherGCM} from 'node:crypto'
import {segmentKey, type Manifest, type SegmentCipher} from './head.ts'
import type {PieceReader} from './pieces.ts'

/** Bytes of plain text in each segment but the last. */
const SEGMENT_BYTES = 64 * 1024
const TAG_BYTES = 16

// both ciphers are told by the same name in node's types
const optionsOf = {authTagLength: TAG_BYTES} as const
const cipherOf = (cipher: SegmentCipher, key: Buffer, nonce: Buffer): CipherGCM =>
  createCipheriv(cipher as 'aes-256-gcm', key, nonce, optionsOf)
const decipherOf = (cipher: SegmentCipher, key: Buffer, nonce: Buffer): DecipherGCM =>
  createDecipheriv(cipher as 'aes-256-gcm', key, nonce, optionsOf)

/** The nonce of a segment: a prefix, its number, and whether it is the last one. */
function nonceOf({noncePrefix}: Manifest, number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  noncePrefix.copy(nonce)
  nonce.writeUInt32BE(number, noncePrefix.length)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/** Plain text as segments. */
export async function* encryptSegments(
  reader: PieceReader,
  manifest: Manifest,
  fileKey: Buffer
): AsyncGenerator<Buffer, void> {
  const key = segmentKey(fileKey, manifest)
  let number = 0
  for await (const {bytes, isLast} of reader.parts(SEGMENT_BYTES)) {
    const cipher = cipherOf(manifest.cipher, key, nonceOf(manifest, number++, isLast))
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }
}

/** Segments as plain text. What came before a segment that was changed has been given by then. */
export async function* decryptSegments(
  reader: PieceReader,
  manifest: Manifest,
  fileKey: Buffer
): AsyncGenerator<Buffer, void> {
  const key = segmentKey(fileKey, manifest)
  let number = 0
  for await (const {bytes, isLast} of reader.parts(SEGMENT_BYTES + TAG_BYTES)) {
    const plain = opened(bytes, decipherOf(manifest.cipher, key, nonceOf(manifest, number, isLast)))
    if (plain === undefined) throw new Error(`error processing segment ${number}: failed to decrypt segment`)
    number++
    yield plain
  }
}

function opened(segment: Buffer, decipher: DecipherGCM): Buffer | undefined {
  if (segment.length <= TAG_BYTES) return undefined
  try {
    decipher.setAuthTag(segment.subarray(-TAG_BYTES))
    const plain = decipher.update(segment.subarray(0, -TAG_BYTES))
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}
