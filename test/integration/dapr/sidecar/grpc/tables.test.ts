import {once} from 'node:events'
import http2 from 'node:http2'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import {openTestGrpcPort} from './rig.ts'

const MESSAGE = '\0\0\0\0\u0005hello'

// nghttp2 at both ends: it keeps its table as RFC 7541 says, and ends a connection whose other end does not
for (const size of [undefined, 0, 100, 4095, 4096, 65_536])
  t.test(`a table of ${size?.toString() ?? 'the usual number of'} bytes at either end: calls come whole`, async t => {
    const options = size === undefined ? {} : {settings: {headerTableSize: size}}
    const server = http2.createServer(options)
    const sessions: http2.ServerHttp2Session[] = []
    const got: http2.IncomingHttpHeaders[] = []
    server.on('session', session => sessions.push(session))
    server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
      got.push(headers)
      const kind = headers['x-kind']
      stream.respond({':status': 200, 'content-type': 'application/grpc', 'x-head': kind}, {waitForTrailers: true})
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0', 'x-end': kind}))
      stream.pipe(stream)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = await openTestGrpcPort(t, {appPort: (server.address() as AddressInfo).port, appProtocol: 'grpc'})
    const client = http2.connect(`http://127.0.0.1:${port}`, options)
    t.teardown(() => {
      client.destroy()
      for (const session of sessions) session.destroy()
      server.close()
    })
    for (let at = 0; at < 12; at++) {
      const kind = `kind ${at % 3}`
      const call = client.request({
        ':method': 'POST',
        ':path': '/test.Echo/Unary',
        te: 'trailers',
        'content-type': 'application/grpc',
        'dapr-app-id': 'b',
        'x-kind': kind
      })
      const head = once(call, 'response')
      const trailers = once(call, 'trailers')
      call.end(MESSAGE)
      let answer = ''
      for await (const bytes of call) answer += (bytes as Buffer).toString('latin1')
      t.equal(answer, MESSAGE)
      t.match((await head)[0], {':status': 200, 'content-type': 'application/grpc', 'x-head': kind})
      t.match((await trailers)[0], {'grpc-status': '0', 'x-end': kind})
      t.match(got[at], {':path': '/test.Echo/Unary', 'x-kind': kind, 'dapr-callee-app-id': 'b'})
      t.match(got[at]?.['traceparent'], /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    }
    t.equal(sessions.length, 1)
  })
