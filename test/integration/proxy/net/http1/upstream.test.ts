import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {constants} from 'node:os'
import tls from 'node:tls'
import t from 'tap'
import {secureDial, type Dial} from '../../../../../src/proxy/net/dialer.ts'
import {HANDLE} from '../../../../../src/platform/intercept-connections.ts'
import type {ResponseHandler} from '../../../../../src/proxy/net/upstream.ts'
import {PLAIN_RULES} from '../../../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'
import {tlsFile} from '../../../../rig/tls.ts'

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

t.test('what an app that speaks TLS has answered before it ended is read, though a write fails first', async t => {
  const ours: net.Socket[] = []
  const callee = tls.createServer({key: tlsFile('server.key'), cert: tlsFile('server.pem')}, socket =>
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.write(REFUSAL)
        // what has come was not read yet
        const [ourSide] = ours
        if (ourSide === undefined) return
        Reflect.set(Reflect.get(ourSide, HANDLE) as object, 'writeBuffer', () => -constants.errno.EPIPE)
        ourSide.write(Buffer.from('x'))
      })
  )
  await once(callee.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => callee.close())
  const dial: Dial = {
    ...secureDial,
    open: (...asked) => {
      const socket = secureDial.open(...asked) as net.Socket
      ours.push(socket)
      return socket
    }
  }
  const upstream = new Pool({hosts: ['127.0.0.1'], port: (callee.address() as AddressInfo).port, dial}).connect()
  const answer = await new Promise(resolve => {
    let text = ''
    const handler: ResponseHandler = {
      isSent: false,
      toHead: false,
      rules: PLAIN_RULES,
      open: () => void upstream.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n'),
      head: ({status}) => void (text += `${status} `),
      body: bytes => {
        text += String(bytes)
        return true
      },
      end: () => resolve(text),
      whole: ({status}) => resolve(status),
      fail: (_, why) => resolve(why),
      crash: resolve
    }
    upstream.serve(handler)
  })
  t.equal(answer, '413 large')
})
