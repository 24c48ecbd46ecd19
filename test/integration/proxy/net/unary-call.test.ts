import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {type FrameClient, FrameClients, encodeField} from '#h2-frames'
import {frameHead, headersFrames, SETTINGS} from '../../../../src/packages/h2-frames/frames.ts'
import {data, headers, onStream, reset} from '../../dapr/sidecar/frames.ts'
import {rawApp} from '../../dapr/sidecar/rig.ts'
import {UnaryCall, type UnaryOutcome} from '../../../../src/proxy/net/grpc/unary-call.ts'

const ANSWER = `\u0088${encodeField('content-type', 'application/grpc')}${encodeField('grpc-status', '12')}`

t.test('an app that answers before it has taken all leaves no stream behind', async t => {
  const server = net.createServer(socket => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        if (bytes.length > 1000) socket.write(headersFrames(1, ANSWER, true), 'latin1')
      })
      .write(frameHead(0, SETTINGS, 0, 0), 'latin1')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  const clients = new FrameClients({hosts: ['127.0.0.1'], port, isSecure: false, warn: text => t.fail(text)})
  t.teardown(() => {
    clients.cut()
    server.close()
  })
  const connection = await new Promise<FrameClient>((opened, failed) => clients.take({opened, failed}))
  const {status} = await new Promise<UnaryOutcome>((done, refused) =>
    new UnaryCall({
      clients,
      block: encodeField(':method', 'POST'),
      message: new Uint8Array(200_000),
      maxBytes: 0,
      done,
      refused
    }).start()
  )
  t.equal(status.code, 12)
  t.equal(connection.streams.size, 0)
})

const HEAD = {':status': '200', 'content-type': 'application/grpc'}

for (const [what, begin] of [
  ['a head', id => headers(id, HEAD, 0)],
  ['data', id => data(id, '\0\0\0\0\u0001x')]
] as readonly [string, (stream: number) => string][])
  t.test(`a call that an app refuses behind ${what} is not sent again`, async t => {
    let seen = 0
    const port = await rawApp(t, socket =>
      onStream(socket, id => {
        const answer = headers(id, HEAD, 0) + data(id, '\0\0\0\0\u0001y') + headers(id, {'grpc-status': '0'})
        socket.write(seen++ === 0 ? begin(id) + reset(id, 7) : answer, 'latin1')
      })
    )
    const clients = new FrameClients({hosts: ['127.0.0.1'], port, isSecure: false, warn: text => t.fail(text)})
    t.teardown(() => clients.cut())
    const {status, message} = await new Promise<UnaryOutcome>((done, refused) =>
      new UnaryCall({
        clients,
        block: encodeField(':method', 'POST'),
        message: new Uint8Array(1),
        maxBytes: 0,
        done,
        refused
      }).start()
    )
    t.match([status.code, message.toString()], [what === 'data' ? 13 : 14, ''])
    t.equal(seen, 1)
  })
