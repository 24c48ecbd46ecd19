import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import {gunzipSync, gzipSync} from 'node:zlib'
import {compressionAlgorithms} from '@grpc/grpc-js'
import t from 'tap'
import {connect} from '../caller.ts'
import {data, DATA, framesOf, headers, HEADERS, PREFACE} from '../frames.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

const strings = (...values: readonly string[]): Uint8Array => {
  const writer = new BinaryWriter()
  for (const [index, value] of values.entries())
    if (value !== '') writer.tag(index + 1, WireType.LengthDelimited).string(value)
  return writer.finish()
}

/** The fields of a message: of each its bytes, or its number. */
const fieldsOf = (bytes: Uint8Array): readonly (readonly [number, Uint8Array | number])[] => {
  const reader = new BinaryReader(bytes)
  const fields: [number, Uint8Array | number][] = []
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    fields.push([field, type === WireType.Varint ? reader.int32() : reader.bytes()])
  }
  return fields
}

const textAt = (bytes: Uint8Array, number: number): string => {
  const found = fieldsOf(bytes).find(([field]) => field === number)?.[1]
  return found instanceof Uint8Array ? Buffer.from(found).toString() : ''
}

const message = (flag: number, bytes: Uint8Array): string =>
  `${String.fromCharCode(flag)}\0\0\0${String.fromCharCode(bytes.length)}${Buffer.from(bytes).toString('latin1')}`

const head = (more: Readonly<Record<string, string>> = {}): string =>
  headers(
    1,
    {
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/dapr.proto.runtime.v1.Dapr/SetMetadata',
      'content-type': 'application/grpc',
      ...more
    },
    0
  )

t.test('GetMetadata and SetMetadata: one store with HTTP', async t => {
  const {port, sidecar} = await openTestGrpcPort(t)
  const client = echoClient(t, port)
  t.match(await client.dapr('SetMetadata', strings('key', 'value')), {code: 0, answer: ''})
  t.match(await client.dapr('SetMetadata', strings('empty')), {code: 0})
  t.match(await client.dapr('SetMetadata', strings('', 'no key')), {code: 0})
  sidecar.customMetadata.set('over http', '1')
  const outcome = await client.dapr('GetMetadata', new Uint8Array(0))
  t.equal(outcome.code, 0)
  t.equal(outcome.head.get('grpc-trace-bin').length, 1)
  const message = Buffer.from(outcome.answer, 'latin1')
  t.equal(textAt(message, 1), 'a')
  t.equal(textAt(message, 8), '1.18.0')
  const extended = fieldsOf(message)
    .filter(([field]) => field === 4)
    .map(([, entry]) => (entry instanceof Uint8Array ? [textAt(entry, 1), textAt(entry, 2)] : []))
  t.strictSame(Object.fromEntries(extended), {daprRuntimeVersion: '1.18.0', empty: '', key: 'value', 'over http': '1'})
  const actors = fieldsOf(message).find(([field]) => field === 10)?.[1]
  t.strictSame(actors instanceof Uint8Array ? [fieldsOf(actors)[0], textAt(actors, 4)] : [], [
    [1, 1],
    'placement: disconnected'
  ])
})

t.test('an answer that is larger than a message may be is not sent', async t => {
  const {port} = await openTestGrpcPort(t, {limits: {maxBodyBytes: 1000, readBufferBytes: 4096}})
  const client = echoClient(t, port)
  t.match(await client.dapr('GetMetadata', new Uint8Array(0)), {code: 0})
  for (const key of ['a', 'b']) t.match(await client.dapr('SetMetadata', strings(key, 'x'.repeat(900))), {code: 0})
  t.match(await client.dapr('GetMetadata', new Uint8Array(0)), {
    code: 8,
    message: /^grpc: trying to send message larger than max \(\d+ vs\. 1000\)$/,
    answer: ''
  })
})

t.test('Shutdown answers, then asks for the end', async t => {
  const asked = Promise.withResolvers<void>()
  const {port} = await openTestGrpcPort(t, {requestShutdown: () => asked.resolve()})
  t.match(await echoClient(t, port).dapr('Shutdown', new Uint8Array(0)), {code: 0, answer: ''})
  await asked.promise
})

t.test('an answer is compressed if its request was', async t => {
  const {port} = await openTestGrpcPort(t)
  const caller = await connect(t, port)
  const fields = {':path': '/dapr.proto.runtime.v1.Dapr/GetMetadata', 'grpc-encoding': 'gzip'}
  caller.send(PREFACE + head(fields) + data(1, message(1, gzipSync('')), 1))
  await caller.until(text => text.includes('grpc-status'))
  const {frames} = framesOf(caller.text)
  t.match(frames.find(({type}) => type === HEADERS)?.payload, 'grpc-encoding\x04gzip')
  const {payload} = frames.find(({type}) => type === DATA) ?? {payload: ''}
  t.equal(payload.charCodeAt(0), 1)
  t.equal(textAt(gunzipSync(Buffer.from(payload.slice(5), 'latin1')), 1), 'a')
  const client = echoClient(t, port, {'grpc.default_compression_algorithm': compressionAlgorithms.gzip})
  const {code, answer} = await client.dapr('GetMetadata', new Uint8Array(0))
  t.match([code, textAt(Buffer.from(answer, 'latin1'), 1)], [0, 'a'])
  t.match(await client.dapr('GetState', strings('x')), {code: 9})
})

t.test('baggage is repeated to the caller, whoever answers', async t => {
  const {port} = await openTestGrpcPort(t, {appPort: await grpcApp(t)})
  const client = echoClient(t, port)
  const baggage = 'user=1,flag=on;ttl=5'
  for (const {head: told} of [
    await client.dapr('GetMetadata', new Uint8Array(0), {baggage}),
    await client.call({baggage})
  ])
    t.strictSame(told.get('baggage'), [baggage])
  const {port: untraced} = await openTestGrpcPort(t, {
    appPort: await grpcApp(t),
    tracing: {isTracing: false, tracer: undefined}
  })
  const {head: told} = await echoClient(t, untraced).call({baggage: 'not one'})
  t.strictSame(told.get('baggage'), [], 'without tracing nobody looks at it')
})

t.test('every other method answers as a Dapr without components', async t => {
  const {port} = await openTestGrpcPort(t)
  const client = echoClient(t, port)
  for (const [name, code, message] of [
    ['GetState', 9, 'state store x is not configured'],
    ['SaveState', 9, 'state store x is not configured'],
    ['PublishEvent', 3, 'pubsub x is not found'],
    ['InvokeBinding', 13, 'error invoking output binding x: operation field is missing from request'],
    ['GetSecret', 9, 'secret store is not configured'],
    ['BulkPublishEventAlpha1', 3, 'pubsub x is not found'],
    ['BulkPublishEvent', 3, 'pubsub x is not found'],
    ['GetConfiguration', 9, 'configuration stores not configured'],
    ['GetConfigurationAlpha1', 9, 'configuration stores not configured'],
    ['TryLockAlpha1', 3, 'ExpiryInSeconds is not positive in lock store x'],
    ['UnlockAlpha1', 9, 'lock store is not configured'],
    ['SubtleSignAlpha1', 12, 'this API is currently not implemented'],
    ['ConverseAlpha2', 3, 'failed finding conversation component x']
  ] as const)
    t.match(await client.dapr(name, strings('x')), {code, message}, name)
  const details = (await client.dapr('GetState', strings('x'))).trailers.get('grpc-status-details-bin')[0]
  t.match(String(details), /ErrorInfo.*DAPR_STATE_NOT_CONFIGURED.*dapr\.io.*appID.*a/s)
  t.match(await client.dapr('InvokeBinding', strings('x', '', '', 'create')), {
    message: "error invoking output binding x: couldn't find output binding x"
  })
  const info = (await client.dapr('GetConfiguration', strings('x'))).trailers.get('grpc-status-details-bin')[0]
  t.match(String(info), /ErrorInfo.*ERR_CONFIGURATION_STORE_NOT_CONFIGURED.*dapr\.io/s)
  t.match(await client.dapr('ListActorTimers', strings('x')), {code: 12, message: 'Dapr 1.18.0 has no ListActorTimers'})
  t.match(
    await client.call({'dapr-app-id': '-'}, {path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'}),
    {code: 12}
  )
})

t.test('a message that is no protobuf is INTERNAL, whatever is asked for', async t => {
  let isAsked = false
  const {port, warnings} = await openTestGrpcPort(t, {requestShutdown: () => (isAsked = true)})
  const client = echoClient(t, port)
  for (const name of 'GetMetadata SetMetadata Shutdown SubtleSignAlpha1 ConverseAlpha1 GetState SaveState PublishEvent InvokeBinding GetSecret GetConfiguration TryLockAlpha1 InvokeService'.split(
    ' '
  ))
    t.match(
      await client.dapr(name, Buffer.from([0xff, 0xff])),
      {code: 13, message: /^grpc: error unmarshalling request: /},
      name
    )
  t.notOk(isAsked)
  t.strictSame(warnings, [])
})

t.test('messages that are none, and compressed ones', async t => {
  const {port} = await openTestGrpcPort(t)
  const set = strings('k', 'v')
  for (const [what, fields, body, answer] of [
    ['no message', {}, '', 'EOF'],
    ['half a message', {}, message(0, set).slice(0, -1), 'unexpected EOF'],
    ['compressed without an encoding', {}, message(1, set), 'compressed flag set'],
    ['flag 2', {'grpc-encoding': 'gzip'}, message(2, set), 'compressed flag set'],
    [
      'another encoding',
      {'grpc-encoding': 'x'},
      message(1, set),
      'Decompressor is not installed for grpc-encoding "x"'
    ],
    ['no gzip', {'grpc-encoding': 'gzip'}, message(1, set), 'failed to decompress'],
    ['two messages', {}, message(0, set) + message(0, set), 'two messages'],
    ['no protobuf', {}, message(0, Buffer.from('\u00ff')), 'error unmarshalling request'],
    ['gzip', {'grpc-encoding': 'gzip'}, message(1, gzipSync(set)), 'grpc-status\x010']
  ] as const) {
    const caller = await connect(t, port)
    caller.send(PREFACE + head(fields) + data(1, body, 1))
    await caller.until(text => text.includes(answer))
    t.pass(what)
    caller.socket.destroy()
  }
})
