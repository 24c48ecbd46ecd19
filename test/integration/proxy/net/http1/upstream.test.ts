import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import type {ResponseHandler} from '../../../../../src/proxy/net/http1/upstream.ts'
import {PLAIN_RULES} from '../../../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'

const REFUSAL = 'HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n'

t.test('an exception at an answer that is read after a failed write ends its own call, and nothing else', async t => {
  const sockets: net.Socket[] = []
  const seen = (message: unknown): void => void sockets.push((message as {readonly socket: net.Socket}).socket)
  subscribe('net.client.socket', seen)
  const callee = net.createServer(socket =>
    socket.once('data', () => {
      socket.write(REFUSAL)
      // as Node does after a failed write: what has come was not read yet
      sockets[0]?.destroy(new Error('write EPIPE'))
      socket.destroy()
    })
  )
  await once(callee.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    unsubscribe('net.client.socket', seen)
    callee.close()
  })
  const upstream = new Pool({hosts: ['127.0.0.1'], port: (callee.address() as AddressInfo).port}).connect()
  const unexpected = (): never => t.fail('the answer has a head') as never
  const crashed = await new Promise((crash, reject) => {
    const handler: ResponseHandler = {
      isSent: false,
      toHead: false,
      rules: PLAIN_RULES,
      isTunnel: false,
      open: () => void upstream.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n'),
      head: () => {
        throw new Error('a bug')
      },
      body: unexpected,
      end: unexpected,
      whole: unexpected,
      fail: (_, why) => reject(new Error(why)),
      crash
    }
    upstream.serve(handler)
  })
  t.match(crashed, {message: 'a bug'})
})
