import {once} from 'node:events'
import grpc from '@grpc/grpc-js'
import t from 'tap'
import {EncryptRequest} from '../../src/model/dapr/messages/crypto.generated.ts'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {residentMegabytes} from '../rig/usage.ts'

t.setTimeout(120_000)

const PIECE = Buffer.alloc(64 * 1024, 'plain text ')
const SENT_MB = 160
const SAMPLED_MB = 32
const same = (bytes: Buffer): Buffer => bytes
const options = {
  componentName: 'keys',
  keyName: 'sym',
  keyWrapAlgorithm: 'AES',
  dataEncryptionCipher: '',
  omitDecryptionKeyName: false,
  decryptionKeyName: ''
}

t.test('hundreds of megabytes go through as a stream, and memory does not grow from first to last', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/keys.yaml': component('keys', 'crypto.dapr.localstorage', {path: 'keys'}),
    'keys/sym': Buffer.alloc(32, 7).toString('base64')
  })
  await rig.template([{appID: 'shop', appDirPath: '.', command: ['sleep', '600']}], {resourcesPath: './resources'})
  const run = rig.pillion(['run', '-f', '.'])
  const client = new grpc.Client(`127.0.0.1:${(await run.ports('shop')).grpc}`, grpc.credentials.createInsecure())
  t.teardown(() => client.close())
  const stream = client.makeBidiStreamRequest('/dapr.proto.runtime.v1.Dapr/EncryptAlpha1', same, same)
  const ended = new Promise<grpc.StatusObject>(resolve => stream.on('status', resolve))
  let come = 0
  stream.on('data', ({length}: Buffer) => (come += length))
  const taken: number[] = []
  const pieces = (SENT_MB * 1024 * 1024) / PIECE.length
  for (let seq = 0; seq < pieces; seq++) {
    const message = {payload: {data: PIECE, seq: BigInt(seq)}, ...(seq === 0 ? {options} : {})}
    if (!stream.write(Buffer.from(encode(EncryptRequest, message)))) await once(stream, 'drain')
    if ((seq * PIECE.length) % (SAMPLED_MB * 1024 * 1024) === 0) taken.push(await residentMegabytes(run.pid))
  }
  stream.end()
  t.match(await ended, {code: 0})
  t.ok(come > pieces * (PIECE.length + 16), `${come} bytes came`)
  // what has to be loaded and compiled is there after the first pieces
  const [first = 0, ...rest] = taken.slice(2)
  t.ok(Math.max(...rest) - first < 24, `MB: ${taken.map(Math.round).join(' ')}`)
})
