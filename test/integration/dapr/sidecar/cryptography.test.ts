import {join} from 'node:path'
import t, {type Test} from 'tap'
import {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse
} from '../../../../src/model/dapr/messages/crypto.generated.ts'
import {writeHead} from '../../../../src/dapr/sidecar/documents/head.ts'
import {PieceReader} from '../../../../src/dapr/sidecar/documents/pieces.ts'
import {encryptSegments} from '../../../../src/dapr/sidecar/documents/segments.ts'
import {decode, encode, type Message} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {componentResource} from '../../../rig/component-resource.ts'
import {ask} from './caller.ts'
import {echoClient, openTestGrpcPort} from './grpc/rig.ts'
import {noBlocks, noComponents, openTestSidecar} from './rig.ts'

const KEYS = join(import.meta.dirname, '../../../fixtures/crypto')

const open = async (t: Test, hasKeys = true) => {
  const components = noComponents()
  if (hasKeys) await components.follow([componentResource('keys', 'crypto.dapr.localstorage', {path: KEYS})])
  t.teardown(async () => components.close())
  const blocks = noBlocks(undefined, undefined, components)
  const {port} = await openTestSidecar(t, {blocks})
  const grpc = await openTestGrpcPort(t, {blocks})
  const client = echoClient(t, grpc.port)
  const call = async (
    path: string,
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
    method = 'PUT'
  ) => {
    const lines = Object.entries({Host: 'localhost', 'Content-Length': Buffer.byteLength(body).toString(), ...headers})
    const head = `${method} /v1.0-alpha1/${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    const answer = await ask(t, port, head + body.toString('latin1'))
    return {...answer, bytes: Buffer.from(answer?.body ?? '', 'latin1')}
  }
  /** A stream of these messages: what came, and the status. */
  const stream = async (name: string, messages: readonly Uint8Array[]) => {
    const sent = client.both({'dapr-app-id': '-'}, `/dapr.proto.runtime.v1.Dapr/${name}`)
    const come: Buffer[] = []
    sent.on('data', (message: Buffer) => come.push(message))
    const ended = new Promise<{code: number; message: string}>(resolve =>
      sent.on('status', ({code, details}) => resolve({code, message: details})).on('error', () => undefined)
    )
    for (const message of messages)
      if (!sent.write(Buffer.from(message))) await new Promise(resolve => sent.once('drain', resolve))
    sent.end()
    return {...(await ended), come}
  }
  return {call, stream, client}
}

const WISH = {'dapr-key-name': 'sym256', 'dapr-key-wrap-algorithm': 'A256KW'}

t.test('encrypt and decrypt over HTTP', async t => {
  const {call} = await open(t)
  const plain = Buffer.alloc(300_000, 'pear')
  const document = await call('crypto/keys/encrypt', plain, WISH)
  t.match(document, {status: 200, headers: {'content-type': 'application/octet-stream'}})
  t.match(document.body, 'dapr.io/enc/v1\n{"k":"sym256","kw":1,')
  t.strictSame((await call('crypto/keys/decrypt', document.bytes)).bytes, plain)
  const omitted = await call('crypto/keys/encrypt', plain, {...WISH, 'Dapr-Omit-Decryption-Key-Name': 'Yes'})
  t.match(await call('crypto/keys/decrypt', omitted.bytes), {status: 500, body: /does not contain a key name/})
  t.strictSame((await call('crypto/keys/decrypt', omitted.bytes, {'dapr-key-name': 'sym256'})).bytes, plain)
  const bent = Buffer.from(document.bytes)
  bent[bent.length - 1] = 1 ^ (bent.at(-1) ?? 0)
  t.match(await call('crypto/keys/decrypt', bent), {
    status: 500,
    body: '{"errorCode":"ERROR","message":"error processing segment 4: failed to decrypt segment"}'
  })
})

async function* forged(): AsyncGenerator<Buffer, void> {
  yield Buffer.from('forged')
}

t.test('a document that was made without the key does not open, whatever key was used for it', async t => {
  const {call} = await open(t)
  const known = Buffer.alloc(32)
  const manifest = {
    keyName: 'sym256',
    algorithm: 'A256KW',
    wrappedKey: Buffer.alloc(40),
    cipher: 'aes-256-gcm',
    noncePrefix: Buffer.alloc(7)
  } as const
  const pieces = [writeHead(manifest, known)]
  for await (const each of encryptSegments(new PieceReader(forged()), manifest, known)) pieces.push(...each)
  t.match(await call('crypto/keys/decrypt', Buffer.concat(pieces)), {
    status: 500,
    body: /failed to validate the document's signature/
  })
})

t.test('what is wrong with a request is told in Dapr’s words: the component first, then the headers', async t => {
  const {call} = await open(t)
  const cases: readonly (readonly [path: string, headers: object, status: number, code: string, message: string])[] = [
    ['nope/encrypt', {}, 400, 'ERR_CRYPTO_PROVIDER_NOT_FOUND', 'crypto provider nope not found (there is: keys)'],
    ['keys/encrypt', {}, 400, 'ERR_BAD_REQUEST', "invalid request: missing header 'dapr-key-name'"],
    [
      'keys/encrypt',
      {'dapr-key-name': 'x'},
      400,
      'ERR_BAD_REQUEST',
      "invalid request: missing header 'dapr-key-wrap-algorithm'"
    ],
    [
      'keys/encrypt',
      {...WISH, 'dapr-key-wrap-algorithm': 'no'},
      500,
      'ERR_CRYPTO',
      'failed to perform operation: option Algorithm is not valid: algorithm no is not supported'
    ],
    ['keys/decrypt', {}, 500, 'ERR_CRYPTO', 'failed to perform operation: invalid header: scheme name not found']
  ]
  for (const [path, headers, status, errorCode, message] of cases)
    t.match(
      await call(`crypto/${path}`, 'x', headers as Record<string, string>),
      {status, body: JSON.stringify({errorCode, message})},
      message
    )
  t.match(await call('crypto/keys/encrypt', 'x', {}, 'POST'), {status: 404})
})

t.test('the subtle operations are in no release of Dapr', async t => {
  const {call} = await open(t)
  for (const each of ['getkey', 'encrypt', 'decrypt', 'wrapkey', 'unwrapkey', 'sign', 'verify']) {
    const body = '{"errorCode":"ERR_API_UNIMPLEMENTED","message":"this API is currently not implemented"}'
    t.match(await call(`subtlecrypto/keys/${each}`, '{}', {}, 'POST'), {status: 501, body}, each)
    t.match(
      await call(`subtlecrypto/keys/${each}`, '{', {}, 'POST'),
      {status: 400, body: /ERR_MALFORMED_REQUEST/},
      each
    )
  }
})

const OPTIONS = {componentName: 'keys', keyName: 'sym256', keyWrapAlgorithm: 'AES'}

/** Messages that bring these pieces, the options with the first. */
const asked = (pieces: readonly Buffer[], options = {}): Uint8Array[] =>
  pieces.map((data, at) =>
    encode(EncryptRequest, {
      ...(at === 0 && {options: {...OPTIONS, ...options} as Message<typeof EncryptRequest>['options']}),
      payload: {data, seq: BigInt(at)}
    })
  )

const joined = (schema: typeof EncryptResponse, messages: readonly Buffer[]): Buffer =>
  Buffer.concat(
    messages.map((message, at) => {
      const {payload} = decode(schema, message)
      if (payload?.seq !== BigInt(at)) throw new Error(`message ${at} has the number ${payload?.seq}`)
      return payload.data
    })
  )

t.test('streams of gRPC: pieces of any size, in order, both ways', async t => {
  const {stream} = await open(t)
  const pieces = [1, 70_000, 65_536, 0, 300_000].map((bytes, at) => Buffer.alloc(bytes, at))
  const encrypted = await stream('EncryptAlpha1', asked(pieces))
  t.match(encrypted, {code: 0})
  const document = joined(EncryptResponse, encrypted.come)
  t.match(
    decode(EncryptResponse, encrypted.come[0] ?? Buffer.alloc(0)).payload?.data.length,
    175,
    'the head is one piece'
  )
  const parts = [document.subarray(0, 10), document.subarray(10, 100_000), document.subarray(100_000)]
  const requests = parts.map((data, at) =>
    encode(DecryptRequest, {
      ...(at === 0 && {options: {componentName: 'keys', keyName: ''}}),
      payload: {data, seq: BigInt(at)}
    })
  )
  const decrypted = await stream('DecryptAlpha1', requests)
  t.strictSame(joined(DecryptResponse, decrypted.come), Buffer.concat(pieces))
  const bent = Buffer.from(document)
  bent[document.length - 1] = 1 ^ (document.at(-1) ?? 0)
  const [first] = requests
  const broken = await stream('DecryptAlpha1', [
    encode(DecryptRequest, {...decode(DecryptRequest, first ?? bent), payload: {data: bent, seq: 0n}})
  ])
  t.match(broken, {
    code: 13,
    message: 'failed to perform operation: error processing segment 6: failed to decrypt segment'
  })
  t.equal(joined(DecryptResponse, broken.come).length, 6 * 65_536, 'what came before has been sent')
  const empty = await stream('EncryptAlpha1', [
    encode(EncryptRequest, {
      options: {...OPTIONS, dataEncryptionCipher: '', omitDecryptionKeyName: true, decryptionKeyName: ''}
    })
  ])
  t.match(joined(EncryptResponse, empty.come).toString('latin1'), 'dapr.io/enc/v1\n{"kw":1,')
})

t.test('what is wrong with a stream is told in Dapr’s words: the options first, then the component', async t => {
  const {stream} = await open(t)
  const one = Buffer.from('x')
  const bad = 'failed to perform operation: '
  const cases: readonly (readonly [messages: readonly Uint8Array[], code: number, message: string])[] = [
    [[], 13, `${bad}error receiving the first message: EOF`],
    [
      [encode(EncryptRequest, {payload: {data: one, seq: 0n}})],
      3,
      'invalid request: first message does not contain the required options'
    ],
    [asked([one], {componentName: ''}), 3, 'invalid request: missing component name'],
    [
      asked([one], {componentName: 'nope', keyName: ''}),
      3,
      "invalid request: missing property 'keyName' in the options message"
    ],
    [
      asked([one], {keyWrapAlgorithm: ''}),
      3,
      "invalid request: missing property 'keyWrapAlgorithm' in the options message"
    ],
    [asked([one], {componentName: 'nope'}), 3, 'crypto provider nope not found (there is: keys)'],
    [[...asked([one]), ...asked([one])], 13, `${bad}options found in non-leading message`],
    [
      [...asked([one]), encode(EncryptRequest, {payload: {data: one, seq: 2n}})],
      13,
      `${bad}invalid sequence number received: 2 (expected: 1)`
    ],
    [
      asked([one], {keyName: 'no'}),
      13,
      `${bad}failed to wrap the file key: failed to retrieve the key encryption key: failed to load key 'no': no such file or directory`
    ]
  ]
  for (const [messages, code, message] of cases)
    t.match(await stream('EncryptAlpha1', messages), {code, message}, message)
  const {client} = await open(t)
  const silent = client.both({'dapr-app-id': '-'}, '/dapr.proto.runtime.v1.Dapr/EncryptAlpha1')
  const status = new Promise(resolve => silent.on('status', resolve).on('error', () => undefined))
  t.match(await status, {
    code: 3,
    details: 'invalid request: error waiting for first message: context deadline exceeded'
  })
  const without = await open(t, false)
  for (const name of ['EncryptAlpha1', 'DecryptAlpha1'])
    t.match(await without.stream(name, asked([one])), {code: 13, message: 'crypto providers not configured'}, name)
})

t.test('over HTTP, too, a key may have a name with any characters', async t => {
  const {call} = await open(t)
  const name = Buffer.from('schlüssel').toString('latin1')
  const {status, bytes} = await call('crypto/keys/encrypt', 'x', {...WISH, 'dapr-key-name': name})
  t.equal(status, 500)
  t.match(bytes.toString(), "failed to load key 'schlüssel': no such file or directory")
})
