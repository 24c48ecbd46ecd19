import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import {mock} from 'node:test'
import t from 'tap'
import {Http2Listener} from '../../../../src/proxy/net/http2/http2-listener.ts'
import type {Http2Stream} from '../../../../src/proxy/net/http2/http2-stream.ts'

/** Time for a preface, in ms; the answer takes several times as long. */
const HEAD_MS = 30

t.test('a call on a connection that a listener has left to its successor may take as long as any', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  const called = Promise.withResolvers<Http2Stream>()
  const listener = new Http2Listener({
    maxHeadBytes: 16_384,
    headMs: HEAD_MS,
    serve: ({stream}) => called.resolve(stream),
    warn: text => t.fail(text)
  })
  listener.close()
  const server = net.createServer(socket => void listener.accept(socket.on('error', () => undefined)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    mock.timers.reset()
    session.destroy()
    server.close()
  })
  const request = session.request({':path': '/'})
  let body = ''
  request.on('data', (piece: Buffer) => (body += piece.toString()))
  const stream = await called.promise
  mock.timers.tick(5 * HEAD_MS)
  stream.respond({status: 200, pairs: [], isLast: false})
  stream.end('ok')
  await once(request, 'end')
  t.equal(body, 'ok')
})
