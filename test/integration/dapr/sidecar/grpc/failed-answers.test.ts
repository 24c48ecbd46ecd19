import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {data, END_STREAM, headers, onStream, reset} from '../frames.ts'
import {policiesOf} from '../policies.ts'
import {rawApp} from '../rig.ts'
import {echoClient, openTestGrpcPort, type EchoClient, type TestGrpcPort} from './rig.ts'

const SPEC = `policies: {timeouts: {t: 30s}, retries: {r: {policy: constant, duration: 1ms, maxRetries: 1}}}
  targets: {apps: {b: {timeout: t, retry: r}}}`

const open = async (t: Test, appPort: number): Promise<{client: EchoClient; grpcPort: TestGrpcPort}> => {
  const {interceptor} = await policiesOf(SPEC)
  const grpcPort = await openTestGrpcPort(t, {rules: {interceptor, pipeline: []}, appPort})
  return {client: echoClient(t, grpcPort.port), grpcPort}
}

t.test('the body of an answer that is no gRPC does not reach the caller, whose call is tried again', async t => {
  let count = 0
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      const head = (status: string, type: string): string =>
        headers(stream, {':status': status, 'content-type': type}, 0)
      const page = head('503', 'text/plain') + data(stream, '{}', END_STREAM)
      const answer =
        head('200', 'application/grpc') + data(stream, '\0\0\0\0\u0001x') + headers(stream, {'grpc-status': '0'})
      socket.write(count++ === 0 ? page : answer, 'latin1')
    })
  )
  const {client, grpcPort} = await open(t, appPort)
  t.match(await client.call(), {code: 0, answer: 'x'})
  t.match(grpcPort.records, [{attempts: 2, grpcStatus: 0}])
})

t.test('nothing of a message that is too large reaches the caller, also with policies', async t => {
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
      // the second message begins in the frame that ends the first one
      const frames = ['\0\0\0\0\u0002o', `k\0\xff\0\0\0`, 'zz'].map(text => data(stream, text))
      socket.write(head + frames.join(''), 'latin1')
    })
  )
  const {client, grpcPort} = await open(t, appPort)
  const got: string[] = []
  const stream = client.down().on('error', () => undefined)
  stream.on('data', (message: Buffer) => got.push(message.toString()))
  const status = await new Promise<grpc.StatusObject>(resolve => stream.on('status', resolve))
  t.match(status, {code: 8, details: /larger than max/})
  t.strictSame(got, [])
  t.match(grpcPort.records, [{attempts: 1, grpcStatus: 8}])
})

const HEAD = {':status': '200', 'content-type': 'application/grpc'}
const MESSAGE = '\0\0\0\0\u0001x'
for (const [what, fault, code] of [
  [
    'and says OK behind it',
    id => headers(id, HEAD, 0) + data(id, '\0\xff\0\0\0') + headers(id, {'grpc-status': '0'}),
    8
  ],
  ['and then refuses it', id => data(id, MESSAGE) + reset(id, 7), 13]
] as readonly [string, (stream: number) => string, number][])
  t.test(`an attempt that an app fails ${what} has failed: one other follows`, async t => {
    let count = 0
    const appPort = await rawApp(t, socket =>
      onStream(socket, id => {
        const answer = headers(id, HEAD, 0) + data(id, MESSAGE) + headers(id, {'grpc-status': '0'})
        socket.write(count++ === 0 ? fault(id) : answer, 'latin1')
      })
    )
    const {client, grpcPort} = await open(t, appPort)
    t.match(await client.call(), {code: 0, answer: 'x'})
    t.match(grpcPort.records, [{attempts: 2, grpcStatus: 0, earlier: [{status: code}]}])
    t.equal(count, 2)
  })
