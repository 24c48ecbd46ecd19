import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {open} from '../../../../src/dapr/components/crypto/local-storage.ts'
import type {BlockContext} from '../../../../src/dapr/sidecar/blocks/block-context.ts'
import {Cryptography, type EncryptRequest} from '../../../../src/dapr/sidecar/blocks/cryptography.ts'
import {openComponent} from '../../../rig/open-component.ts'
import {openDocument} from '../../../rig/own-document.ts'

const KEYS = join(import.meta.dirname, '../../../fixtures/crypto')
const SYMMETRIC = Buffer.from(readFileSync(join(KEYS, 'sym256'), 'latin1'), 'base64')
const RSA = readFileSync(join(KEYS, 'rsa.pem'), 'utf8')
const SEGMENT = 65_536

/** As the known answers have it: byte i of n is (7 i + n) mod 251. */
const text = (bytes: number): Buffer => Buffer.from(Array.from({length: bytes}, (_, i) => (7 * i + bytes) % 251))

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const all = async (parts: AsyncIterable<readonly Uint8Array[]>): Promise<Buffer> => {
  const found: Uint8Array[] = []
  for await (const pieces of parts) found.push(...pieces)
  return Buffer.concat(found)
}

const house = async (t: Test, folder = KEYS) => {
  const provider = await openComponent(t, open, {path: folder})
  const context = {
    component: async () => ({component: provider}),
    outbound: async (_: unknown, work: () => unknown) => work()
  } as unknown as BlockContext
  const cryptography = new Cryptography(context)
  const keys = await cryptography.find('keys')
  return {
    encrypt: async (bytes: Buffer, wish: Partial<EncryptRequest> = {}, size = 50_000) => {
      const usual = {keyName: 'sym256', algorithm: 'A256KW', cipher: '', decryptionKeyName: '', isNameless: false}
      return all(await cryptography.encrypt(keys, {...usual, ...wish}, inPieces(bytes, size)))
    },
    decrypt: async (document: Buffer, keyName = '', size = 50_000) =>
      all(await cryptography.decrypt(keys, keyName, inPieces(document, size)))
  }
}

t.test('documents that Dapr made are opened, in pieces of any size', async t => {
  const {decrypt} = await house(t)
  for (const [name, bytes] of [
    ['aes', 5],
    ['empty', 0],
    ['rsa', 5]
  ] as const)
    for (const size of [1, 7, 1000])
      t.strictSame(await decrypt(readFileSync(join(KEYS, `${name}.enc`)), '', size), text(bytes), `${name} by ${size}`)
})

t.test('what is written is opened by a reader of the specification alone, and by ours', async t => {
  const {encrypt, decrypt} = await house(t)
  for (const [keyName, algorithm, key] of [
    ['sym256', 'aes', SYMMETRIC],
    ['rsa.pem', 'RSA-oaep-256', RSA]
  ] as const)
    for (const cipher of ['', 'AES-GCM', 'chacha20-poly1305'])
      for (const bytes of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT]) {
        const plain = text(bytes)
        const document = await encrypt(plain, {keyName, algorithm, cipher}, 40_000)
        t.strictSame(openDocument(document, key).plain, plain, `${keyName} ${cipher} ${bytes}`)
        t.strictSame(await decrypt(document, '', 9999), plain)
      }
})

t.test('the name of the key in a document: as the key, another one, or none', async t => {
  const {encrypt, decrypt} = await house(t)
  const other = await encrypt(text(3), {decryptionKeyName: 'a<b>&'})
  t.match(other.toString('latin1'), 'dapr.io/enc/v1\n{"k":"a\\u003cb\\u003e\\u0026","kw":1,"wfk":"')
  t.strictSame(await decrypt(other, 'sym256'), text(3))
  const nameless = await encrypt(text(3), {isNameless: true, decryptionKeyName: 'ignored'})
  t.match(nameless.toString('latin1'), 'dapr.io/enc/v1\n{"kw":1,')
  await t.rejects(decrypt(nameless), {
    message:
      "failed to perform operation: document's manifest does not contain a key name, and no key name was provided",
    errorCode: 'ERR_CRYPTO',
    status: 500
  })
  t.strictSame(await decrypt(nameless, 'sym256'), text(3))
})

t.test('a key that is not there, of another kind, another one, or a changed head: all the same answer', async t => {
  const {encrypt, decrypt} = await house(t)
  const message = "failed to perform operation: failed to validate the document's signature"
  const document = await encrypt(text(3))
  for (const key of ['nope', 'rsa.pem', '../sym256', 'README.md'])
    await t.rejects(decrypt(document, key), {message}, key)
  const changed = Buffer.from(document.toString('latin1').replace('"cph":1', '"cph": 1'), 'latin1')
  await t.rejects(decrypt(changed), {message})
  for (const kw of [2, 3, 4]) {
    const head = Buffer.from(document.toString('latin1').replace('"kw":1', `"kw":${kw}`), 'latin1')
    await t.rejects(decrypt(head), {message}, `kw ${kw}`)
  }
})

t.test('heads that are none', async t => {
  const {encrypt, decrypt} = await house(t)
  const document = (await encrypt(text(3))).toString('latin1')
  const [scheme = '', manifest = '', mac = ''] = document.split('\n')
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['', 'scheme name not found'],
    ['x'.repeat(100_000), 'scheme name not found'],
    ['dapr.io/enc/v2\n{}\nx\n', 'unsupported scheme'],
    [`${scheme}\n`, 'manifest not found'],
    [`${scheme}\n${'x'.repeat(100_000)}`, 'manifest not found'],
    [`${scheme}\n${manifest}\n${mac}`, 'message authentication code not found'],
    [`${scheme}\n\n${mac}\n`, 'invalid format'],
    [`${scheme}\nnull\n${mac}\n`, 'invalid manifest'],
    [`${scheme}\n{"kw":9}\n${mac}\n`, 'invalid manifest'],
    [`${scheme}\n${manifest.replace(/"np":".*"/, '"np":"AA=="')}\n${mac}\n`, 'invalid manifest'],
    [`${scheme}\n${manifest.replace(/"wfk":"[^"]*"/, '"wfk":""')}\n${mac}\n`, 'invalid manifest'],
    [`${scheme}\n${manifest.replace('"kw":1', '"kw":"A256KW"')}\n${mac}\n`, 'invalid manifest']
  ]
  for (const [head, why] of cases)
    await t.rejects(
      decrypt(Buffer.from(head, 'latin1')),
      {message: `failed to perform operation: invalid header: ${String(why)}`},
      head.slice(0, 40)
    )
  await t.rejects(decrypt(Buffer.from(`${scheme}\n${manifest}\n!\n`)), {
    message: /^failed to perform operation: failed to decode header's signature: /
  })
})

t.test('a document that was cut or changed fails where it shows; one cut behind its head is empty', async t => {
  const {encrypt, decrypt} = await house(t)
  const document = await encrypt(text(3 * SEGMENT))
  const head = document.length - 3 * (SEGMENT + 16)
  const fails = async (bytes: Buffer, segment: number, what: string): Promise<void> => {
    const message = `error processing segment ${segment}: failed to decrypt segment`
    await t.rejects(decrypt(bytes), {message}, what)
  }
  t.equal((await decrypt(document.subarray(0, head))).length, 0)
  await fails(document.subarray(0, head + 5), 0, 'within the first tag')
  await fails(document.subarray(0, head + SEGMENT + 16), 0, 'the last two are missing')
  await fails(document.subarray(0, -1), 2, 'a byte is missing')
  await fails(Buffer.concat([document, Buffer.alloc(1)]), 2, 'a byte more')
  const bent = Buffer.from(document)
  bent[head + SEGMENT + 16 + 5] = 1 ^ (bent[head + SEGMENT + 16 + 5] ?? 0)
  await fails(bent, 1, 'one bit')
})

t.test('what cannot be encrypted is told in words', async t => {
  const {encrypt} = await house(t)
  const fails = async (wish: Partial<EncryptRequest>, why: string): Promise<void> =>
    void (await t.rejects(encrypt(text(1), wish), {message: `failed to perform operation: ${why}`, status: 500}, why))
  const wrap = 'failed to wrap the file key: '
  const find = `${wrap}failed to retrieve the key encryption key: `
  await fails({algorithm: 'NOPE'}, 'option Algorithm is not valid: algorithm NOPE is not supported')
  await fails({cipher: 'X'}, 'option Cipher is not valid: cipher X is not supported')
  await fails({keyName: 'x'}, `${find}failed to load key 'x': no such file or directory`)
  await fails({keyName: '../x'}, `${find}invalid key path: cannot contain '..'`)
  await fails({keyName: 'README.md'}, `${wrap}failed to encrypt data: key type mismatch`)
  await fails({algorithm: 'RSA'}, `${wrap}failed to encrypt data: key type mismatch`)
  await fails({algorithm: 'a128cbc-nopad'}, `${wrap}failed to encrypt data: unsupported algorithm`)
})
