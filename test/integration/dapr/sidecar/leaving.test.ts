import t from 'tap'
import {closed} from '../../../rig/closed.ts'
import {endlessServer, H2C, PREFACE, WEBSOCKET} from '../../../rig/endless.ts'
import {connect} from './caller.ts'
import {onBothPaths, openTestSidecar} from './rig.ts'

const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`

const QUICK = get('/v1.0/healthz')
/** It is never answered. */
const POLL = get('/v1.0/invoke/b/method/poll')
const UPGRADE = get('/v1.0/invoke/b/method/poll', H2C)
const SOCKET = get('/v1.0/invoke/b/method/poll', WEBSOCKET)
const UPLOAD = 'POST /v1.0/invoke/b/method/poll HTTP/1.1\r\nHost: localhost\r\n'

/** What a caller sent before he left; nothing of it may keep the connection. */
const LEFT: Readonly<Record<string, string>> = {
  nothing: '',
  'half a first line': 'GET /v1.0',
  'half a head': POLL.slice(0, -4),
  'half a head behind a call': `${POLL}${POLL.slice(0, -4)}`,
  'a call': POLL,
  'calls one behind the other': POLL + POLL + POLL,
  'a broken head': 'GET / HTTP/1.1\r\nHost localhost\r\n\r\n',
  'a broken head behind a call': `${POLL}GET / HTTP/1.1\r\nHost localhost\r\n\r\n`,
  'a head without Host behind a call': `${POLL}GET / HTTP/1.1\r\n\r\n`,
  'no head at all behind a call': `${POLL}\0\0\0`,
  'half an upload': `${UPLOAD}Content-Length: 10\r\n\r\nhalf`,
  'half an upload in chunks': `${UPLOAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
  'a broken chunk': `${UPLOAD}Transfer-Encoding: chunked\r\n\r\nx\r\n`,
  'an upgrade to HTTP/2': UPGRADE,
  'an upgrade to HTTP/2, and half a preface': UPGRADE + PREFACE.slice(0, 12),
  'an upgrade to HTTP/2, and a preface': UPGRADE + PREFACE,
  'an upgrade to HTTP/2, and what is no preface': UPGRADE + QUICK,
  'an upgrade to HTTP/2 behind an answered request': QUICK + UPGRADE,
  'an upgrade to HTTP/2 behind a call': POLL + UPGRADE,
  'an upgrade to HTTP/2 behind calls, with a preface': QUICK + POLL + POLL + UPGRADE + PREFACE,
  'an upgrade to HTTP/2 with a broken head behind a call': `${POLL}${UPGRADE.replace('Host: localhost', 'Host: a\r\nHost: b')}`,
  'a request for a websocket': SOCKET,
  'a request for a websocket behind a call': POLL + SOCKET,
  'a request for a websocket without a callee': get('/v1.0/invoke', WEBSOCKET),
  'half a preface': PREFACE.slice(0, 20),
  'a preface': PREFACE
}

for (const [name, text] of Object.entries(LEFT)) {
  onBothPaths(`${name}, and the end: the connection is closed`, async t => {
    const server = await endlessServer()
    t.teardown(() => server.close())
    const {port, sidecar, underWay} = await openTestSidecar(t, {appPort: server.port})
    const caller = await connect(t, port)
    const gone = closed(caller.socket)
    caller.socket.end(text, 'latin1')
    await gone
    await sidecar.close()
    t.equal(underWay(), 0)
  })

  onBothPaths(`${name}, and the end, while calls wait: the connection is closed`, async t => {
    let waiting = 0
    const {port, sidecar} = await openTestSidecar(t, {
      admit: () => {
        waiting++
        return {admitted: new Promise(() => undefined), cancel: () => waiting--}
      }
    })
    const caller = await connect(t, port)
    const gone = closed(caller.socket)
    caller.socket.end(text, 'latin1')
    await gone
    await sidecar.close()
    t.equal(waiting, 0)
  })
}

t.test('who sends more behind an upgrade than one may who waits for it is cut', async t => {
  const server = await endlessServer()
  t.teardown(() => server.close())
  const {port, underWay} = await openTestSidecar(t, {appPort: server.port, hasFastPath: false})
  const caller = await connect(t, port)
  caller.send(POLL + UPGRADE + 'x'.repeat(200_000))
  await caller.closed()
  t.equal(underWay(), 0)
})
