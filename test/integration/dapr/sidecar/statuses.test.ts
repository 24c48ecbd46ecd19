import type net from 'node:net'
import t, {type Test} from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {ask, connect, overHttp2, request} from './caller.ts'
import {data, END_STREAM, framesOf, headers, onStream, PREFACE} from './frames.ts'
import {onBothPaths, onRequest, openTestSidecar, rawApp, type TestSidecar} from './rig.ts'

/**
 * A status as an app writes it, and what its caller is told, by the protocol that the app speaks. In HTTP/2 what is not
 * three digits, or below 100, is no answer to node:http2.
 */
const STATUSES: readonly (readonly [text: string, http1: number, h2c: number])[] = [
  ['0', 502, 500],
  ['000', 502, 500],
  ['1', 502, 500],
  ['99', 502, 500],
  ['099', 502, 500],
  // An interim answer, and no other.
  ['100', 500, 500],
  ['199', 500, 500],
  ['200', 200, 200],
  ['418', 418, 418],
  ['599', 599, 599],
  ['600', 502, 502],
  ['777', 502, 502],
  ['999', 502, 502],
  ['1000', 502, 500],
  ['-1', 502, 500],
  ['abc', 500, 500],
  ['2', 502, 500],
  ['', 500, 500]
]

const http1App = (status: string) => (socket: net.Socket) =>
  onRequest(socket, () => {
    socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`)
  })

const h2cApp = (status: string) => (socket: net.Socket) =>
  onStream(socket, stream => {
    socket.write(headers(stream, {':status': status}, 0) + data(stream, 'ok', END_STREAM), 'latin1')
  })

const opened = async (t: Test, status: string, isHttp2: boolean): Promise<TestSidecar> => {
  const appPort = await rawApp(t, (isHttp2 ? h2cApp : http1App)(status))
  return openTestSidecar(t, {appPort, ...(isHttp2 && {dial: http2Dial})})
}

/** The answers that are given for an invalid status say which. */
const bodyOf = (told: number, status: string): string | RegExp =>
  told === 502
    ? new RegExp(`"ERR_DIRECT_INVOKE".*invalid HTTP status ${status}`)
    : told === 500
      ? /ERR_DIRECT_INVOKE/
      : 'ok'

for (const isHttp2 of [false, true]) {
  const app = isHttp2 ? 'an app of HTTP/2' : 'an app of HTTP/1'

  onBothPaths(`${app} that answers with any status, to callers of HTTP/1`, async t => {
    for (const [status, http1, h2c] of STATUSES) {
      const told = isHttp2 ? h2c : http1
      const {port, underWay} = await opened(t, status, isHttp2)
      const answer = await ask(t, port, request({method: 'GET'}))
      t.match(answer, {status: told, body: bodyOf(told, status)}, JSON.stringify(status))
      t.equal(underWay(), 0)
    }
  })

  t.test(`${app} that answers with any status, to callers of HTTP/2`, async t => {
    for (const [status, http1, h2c] of STATUSES) {
      const told = isHttp2 ? h2c : http1
      const {port, underWay} = await opened(t, status, isHttp2)
      t.match(await overHttp2(t, port), {status: told, body: bodyOf(told, status)}, JSON.stringify(status))
      t.equal(underWay(), 0)
    }
  })

  t.test(`${app} that answers with any status, to callers who go on in HTTP/2`, async t => {
    for (const [status, http1, h2c] of STATUSES) {
      const told = isHttp2 ? h2c : http1
      const {port, underWay} = await opened(t, status, isHttp2)
      const caller = await connect(t, port)
      caller.send(
        request({
          method: 'GET',
          lines: 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
        })
      )
      t.match(await caller.answer(), {status: 101})
      caller.send(PREFACE)
      await caller.until(text => framesOf(text).frames.some(({stream, flags}) => stream === 1 && (flags & 1) === 1))
      const {frames} = framesOf(caller.text)
      const body = frames.filter(({stream, type}) => stream === 1 && type === 0).map(({payload}) => payload)
      t.match(body.join(''), bodyOf(told, status), JSON.stringify(status))
      t.equal(underWay(), 0)
    }
  })

  t.test(`${app} that answers with any status, to callers who ask for a websocket`, async t => {
    for (const [status, http1, h2c] of STATUSES) {
      const told = isHttp2 ? h2c : http1
      const {port, underWay} = await opened(t, status, isHttp2)
      const lines = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
      const answer = await ask(t, port, request({method: 'GET', lines}))
      t.match(answer, {status: told, body: bodyOf(told, status)}, JSON.stringify(status))
      while (underWay() > 0) await new Promise(setImmediate)
    }
  })
}
