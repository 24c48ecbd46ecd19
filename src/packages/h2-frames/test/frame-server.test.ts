import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {FrameServer} from '../frame-server.ts'
import {SERVER_GREETING} from '../greeting.ts'
import type {StreamHandler} from '../frame-stream.ts'

const nothing = (): void => undefined

t.test('a connection has one taker of calls, which may know what its caller said before', async t => {
  const takers: StreamHandler[] = []
  const servers: FrameServer[] = []
  const server = net.createServer(socket => {
    socket.write(SERVER_GREETING, 'latin1')
    servers.push(
      new FrameServer(socket, {
        warn: text => t.fail(text),
        accept: () => {
          const taker: StreamHandler = {
            head: stream => stream.writeHead('\u0088', true),
            data: nothing,
            sent: nothing,
            reset: nothing,
            lost: nothing
          }
          takers.push(taker)
          return taker
        },
        closed: nothing
      })
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    session.destroy()
    server.close()
  })
  for (let call = 0; call < 3; call++) {
    const stream = session.request({':path': '/'})
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
    t.equal(head[':status'], 200)
    stream.close()
  }
  t.equal(servers.length, 1)
  t.equal(takers.length, 1)
})
