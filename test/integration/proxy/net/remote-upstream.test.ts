import {once} from 'node:events'
import http2 from 'node:http2'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {READ_BODIES} from '../../../../src/platform/collector.ts'
import type {Dial} from '../../../../src/proxy/net/dialer.ts'
import {grpcDial} from '../../../../src/proxy/gateway/app-channel.ts'
import {PLAIN_RULES} from '../../../../src/proxy/net/http1/response-head.ts'
import type {Upstream} from '../../../../src/proxy/net/upstream.ts'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'

type Answer = (stream: http2.ServerHttp2Stream, path: string) => void

/** An app that speaks HTTP/2, and a pool of connections to it. */
const openApp = async (t: Test, answer: Answer, dial: Dial): Promise<Pool> => {
  const app = http2.createServer().on('stream', (stream: http2.ServerHttp2Stream, head: http2.IncomingHttpHeaders) => {
    stream.resume()
    answer(stream, head[':path'] ?? '')
  })
  await once(app.listen(0, '127.0.0.1'), 'listening')
  const {port} = app.address() as AddressInfo
  const pool: Pool = new Pool({hosts: ['127.0.0.1'], port, dial})
  t.teardown(() => {
    pool.cut()
    app.close()
  })
  return pool
}

/** Sends a request, and calls `open` when there is a connection. Resolves with the body, or the failure. */
const call = async (upstream: Upstream, open: () => void): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    upstream.serve({
      toHead: false,
      isSent: true,
      rules: PLAIN_RULES,
      open,
      whole: (_, body) => resolve(body),
      head: () => undefined,
      body: bytes => {
        text += bytes.toString()
        return true
      },
      end: () => resolve(text),
      fail: (failure, why) => resolve(`${failure}: ${why}`),
      crash: () => resolve('crash')
    })
  })

t.test('a stream that ends after its response was whole does not end the next call', async t => {
  const streams: http2.ServerHttp2Stream[] = []
  const next = Promise.withResolvers<void>()
  const answer: Answer = (stream, path) => {
    streams.push(stream)
    const respond = (): void => stream.respond({':status': 200, 'content-length': '2'})
    if (path === '/first') {
      respond()
      return void stream.write('ok')
    }
    // the second call is under way: now the stream of the first one ends
    streams[0]?.once('close', next.resolve).end()
    void next.promise.then(respond).then(() => stream.end('ok'))
  }
  const pool = await openApp(t, answer, http2Dial)
  const post = async (path: string): Promise<string> => {
    const upstream = pool.take()
    return call(upstream, () =>
      upstream.writeAll(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`, undefined, '', true)
    )
  }
  t.equal(await post('/first'), 'ok')
  t.equal(await post('/second'), 'ok')
})

t.test('a request to an app of gRPC that breaks off within its body gives the room of the body back', async t => {
  const dial = grpcDial(0, () => undefined)
  const pool = await openApp(t, () => undefined, dial)
  const size = READ_BODIES.max / 2 + 1
  for (let count = 0; count < 2; count++) {
    const upstream = pool.take()
    await new Promise<void>(resolve => {
      const send = (): void => {
        upstream.writeAll(`POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 * size}\r\n\r\n`, Buffer.alloc(size))
        resolve()
      }
      void call(upstream, send)
    })
    upstream.drop()
    await new Promise(setImmediate)
    const isFree = READ_BODIES.take(READ_BODIES.max, 0)
    t.ok(isFree)
    if (isFree) READ_BODIES.give(READ_BODIES.max)
  }
})
