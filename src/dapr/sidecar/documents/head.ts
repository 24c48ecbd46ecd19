import {createHmac, hkdfSync, timingSafeEqual} from 'node:crypto'
import {jsonIn} from '../../../model/is-json.ts'
import type {WrapAlgorithm} from '../../components/crypto-provider.ts'
import {isObject} from '../../../model/is-object.ts'
import {goJson} from '../http/go-text.ts'
import type {PieceReader} from './pieces.ts'

// documents/ reads and writes Dapr's encrypted documents, `dapr.io/enc/v1`: a head of three lines, then segments (kit: schemes/enc/v1).

const SCHEME = 'dapr.io/enc/v1'
const MAX_HEAD_BYTES = 64 * 1024
const NONCE_PREFIX_BYTES = 7

const WRAP_NUMBERS: Readonly<Record<WrapAlgorithm, number>> = {
  A256KW: 1,
  'A128CBC-NOPAD': 2,
  'A192CBC-NOPAD': 3,
  'A256CBC-NOPAD': 4,
  'RSA-OAEP-256': 5
}

/** Cipher of the segments, as node:crypto names it. */
export type SegmentCipher = 'aes-256-gcm' | 'chacha20-poly1305'

const CIPHER_NUMBERS: Readonly<Record<SegmentCipher, number>> = {'aes-256-gcm': 1, 'chacha20-poly1305': 2}

/** The content of the second line of a document. */
export interface Manifest {
  /** Name of the key that wraps the file key; '': the document names none. */
  readonly keyName: string
  readonly algorithm: WrapAlgorithm
  readonly wrappedKey: Buffer
  readonly cipher: SegmentCipher
  /** The first bytes of the nonce of each segment. */
  readonly noncePrefix: Buffer
}

/** A head that was read. Its signature has yet to be checked. */
export interface ReadHead {
  readonly manifest: Manifest
  /** Bytes that the MAC covers. */
  readonly signed: Buffer
  readonly mac: Buffer
}

const derived = (fileKey: Buffer, salt: Buffer, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', fileKey, salt, info, 32))

export const segmentKey = (fileKey: Buffer, {noncePrefix}: Manifest): Buffer => derived(fileKey, noncePrefix, 'payload')

const macOf = (fileKey: Buffer, signed: Buffer): Buffer =>
  createHmac('sha256', derived(fileKey, Buffer.alloc(0), 'header'))
    .update(signed)
    .digest()

/** Returns the head of a document: scheme, manifest and MAC, a line each. */
export function writeHead(manifest: Manifest, fileKey: Buffer): Buffer {
  const {keyName, algorithm, wrappedKey, cipher, noncePrefix} = manifest
  const line = goJson({
    k: keyName || undefined,
    kw: WRAP_NUMBERS[algorithm],
    wfk: wrappedKey.toString('base64'),
    cph: CIPHER_NUMBERS[cipher],
    np: noncePrefix.toString('base64')
  })
  const signed = Buffer.from(`${SCHEME}\n${line}\n`)
  return Buffer.concat([signed, Buffer.from(`${macOf(fileKey, signed).toString('base64')}\n`)])
}

/** Whether the MAC fits the head, so that its writer had the file key. */
export const isSignedBy = ({signed, mac}: ReadHead, fileKey: Buffer): boolean => {
  const own = macOf(fileKey, signed)
  return mac.length === own.length && timingSafeEqual(mac, own)
}

const invalid = (why: string): Error => new Error(`invalid header: ${why}`)

/** Reads the head of a document. Rejects with Dapr's error. */
export async function readHead(reader: PieceReader): Promise<ReadHead> {
  let left = MAX_HEAD_BYTES
  const next = async (missing: string): Promise<Buffer> => {
    const line = await reader.line(left)
    if (line === undefined) throw invalid(missing)
    left -= line.length + 1
    return line
  }
  const scheme = await next('scheme name not found')
  if (scheme.toString() !== SCHEME) throw invalid('unsupported scheme')
  const text = await next('manifest not found')
  const mac = await next('message authentication code not found')
  if (text.length === 0 || mac.length === 0) throw invalid('invalid format')
  const manifest = manifestIn(text.toString())
  if (!isStrictBase64(mac.toString('latin1')))
    throw new Error(`failed to decode header's signature: illegal base64 data`)
  const signed = Buffer.concat([scheme, LINE_FEED, text, LINE_FEED])
  return {manifest, signed, mac: Buffer.from(mac.toString('latin1'), 'base64')}
}

const LINE_FEED = Buffer.from('\n')

const isStrictBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text

const keyOf = <K extends string>(numbers: Readonly<Record<K, number>>, number: unknown): K | undefined =>
  (Object.keys(numbers) as K[]).find(name => numbers[name] === number)

function manifestIn(text: string): Manifest {
  const found = jsonIn(text)
  if (!isObject(found)) throw invalid('invalid manifest')
  const {k = '', kw, wfk, cph, np} = found
  const algorithm = keyOf(WRAP_NUMBERS, kw)
  const cipher = keyOf(CIPHER_NUMBERS, cph)
  const wrappedKey = bytesOf(wfk)
  const noncePrefix = bytesOf(np)
  const isWhole = wrappedKey.length > 0 && noncePrefix.length === NONCE_PREFIX_BYTES && typeof k === 'string'
  if (algorithm === undefined || cipher === undefined || !isWhole) throw invalid('invalid manifest')
  return {keyName: k, algorithm, wrappedKey, cipher, noncePrefix}
}

const bytesOf = (value: unknown): Buffer =>
  typeof value === 'string' && isStrictBase64(value) ? Buffer.from(value, 'base64') : Buffer.alloc(0)
