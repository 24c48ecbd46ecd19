import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {openGrpcPort} from '../../../src/sidecar/grpc-port.ts'
import {openMetricsPort} from '../../../src/sidecar/metrics-port.ts'
import {connect} from './caller.ts'

const listening = async (): Promise<{readonly server: net.Server; readonly port: number}> => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {server, port: (server.address() as AddressInfo).port}
}

/** One gRPC call: what its head says. */
const call = async (t: Test, port: number): Promise<http2.IncomingHttpHeaders> => {
  const session = http2.connect(`http://127.0.0.1:${port.toString()}`)
  t.teardown(() => {
    session.destroy()
  })
  const stream = session.request({
    ':method': 'POST',
    ':path': '/dapr.proto.runtime.v1.Dapr/InvokeService',
    'content-type': 'application/grpc',
    te: 'trailers'
  })
  stream.end(Buffer.from([0, 0, 0, 0, 0]))
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  stream.resume()
  await once(stream, 'end')
  return head
}

t.test('every call of gRPC is told that it is not served', async t => {
  const {server, port} = await listening()
  const open = openGrpcPort([server], () => undefined)
  for (let count = 0; count < 3; count++) {
    t.match(await call(t, port), {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '12',
      'grpc-message': 'gRPC is not served here yet, call the HTTP port of this app'
    })
  }
  const caller = await connect(t, port)
  open.close()
  await caller.closed()
  await t.rejects(connect(t, port), {code: 'ECONNREFUSED'})
})

t.test('the metrics port is there, and empty', async t => {
  const {server, port} = await listening()
  const open = openMetricsPort([server])
  for (const path of ['/metrics', '/']) {
    const caller = await connect(t, port)
    caller.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    t.match(await caller.answer(), {status: 200, body: ''})
  }
  open.close()
  await t.rejects(connect(t, port), {code: 'ECONNREFUSED'})
})
