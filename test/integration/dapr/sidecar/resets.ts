import {EventEmitter, once} from 'node:events'
import type net from 'node:net'
import {Duplex} from 'node:stream'
import t from 'tap'
import type {Dial} from '../../../../src/proxy/net/dialer.ts'
import {connect} from './caller.ts'
import {data, END_STREAM, framesOf, HEADERS, headers, PREFACE, request, reset} from './frames.ts'
import {openTestGrpcPort} from './grpc/rig.ts'
import {echoApp, onRequest, openTestSidecar, rawApp} from './rig.ts'

/** What the sidecar answers itself, and what reaches an app. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'the health': {':path': '/v1.0/healthz'},
  'the health of the app': {':path': '/v1.0/healthz/outbound'},
  'the metadata': {':path': '/v1.0/metadata'},
  'a metadata key': {':method': 'PUT', ':path': '/v1.0/metadata/key'},
  'a shutdown': {':method': 'POST', ':path': '/v1.0/shutdown'},
  'no route': {':path': '/nothing'},
  'a route that is not built': {':path': '/v1.0/state/store/key'},
  'a path that cannot be read': {':path': '/v1.0/invoke/b/method/a%zz'},
  'an unknown app': {':path': '/v1.0/invoke/nobody/method/x'},
  'a foreign host': {':path': '/v1.0/metadata', ':authority': 'evil.example'},
  'the server itself': {':method': 'OPTIONS', ':path': '*'},
  'a HEAD': {':method': 'HEAD', ':path': '/v1.0/healthz'},
  'an app': {':path': '/v1.0/invoke/b/method/echo'},
  'a body for an app': {':method': 'POST', ':path': '/v1.0/invoke/b/method/echo'},
  'a tunnel': {':method': 'CONNECT'}
}

const asked = (what: string, stream: number, flags: number): string => {
  const fields = ROUTES[what] ?? {}
  // It has neither scheme nor path (RFC 9113 §8.5).
  if (fields[':method'] === 'CONNECT') return headers(stream, {...fields, ':authority': 'localhost'}, flags)
  return request(stream, fields, flags)
}

/** What follows a request in the same write. */
const endings = (code: number): readonly string[] => [
  reset(1, code),
  data(1, 'half') + reset(1, code),
  data(1, 'whole', END_STREAM) + reset(1, code)
]

export const isAnswered = (text: string): boolean =>
  framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 3)

export const HEALTH = {':path': '/v1.0/healthz'}

/** How an app answers: in pieces, each of which is written after the caller's reset or before. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  'with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n', 'abc', 'def'],
  'in chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '3\r\nabc\r\n', '0\r\nX-End: 1\r\n\r\n'],
  'all at once': ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'],
  'without a body': ['HTTP/1.1 204 No Content\r\n\r\n'],
  'with a body where none may be': ['HTTP/1.1 205 Reset Content\r\nContent-Length: 3\r\n\r\n', 'abc']
}

/** A connection to an app that reads nothing. */
const deafDial: Dial = {
  protocol: 'HTTP/1.1',
  scheme: 'http',
  open: () => {
    const link = new Duplex({read: () => undefined, write: () => undefined})
    process.nextTick(() => link.emit('secureConnect'))
    return link
  }
}

/** Tests: whatever is reset with any of these codes, the connection goes on. */
export function testResets(codes: readonly number[]): void {
  for (const what of Object.keys(ROUTES)) {
    t.test(`${what}, asked for and reset at once with any code: the connection goes on`, async t => {
      const {port: appPort} = await echoApp(t)
      const {port, warnings, underWay} = await openTestSidecar(t, {appPort})
      for (const code of codes) {
        for (const rest of endings(code)) {
          const caller = await connect(t, port)
          caller.send(PREFACE + asked(what, 1, 0) + rest + request(3, HEALTH))
          await caller.until(isAnswered)
          t.ok(isAnswered(caller.text), `code ${code}`)
          caller.socket.destroy()
        }
        // Nothing may follow the end but a reset.
        const caller = await connect(t, port)
        caller.send(PREFACE + asked(what, 1, END_STREAM) + reset(1, code) + request(3, HEALTH))
        await caller.until(isAnswered)
        t.ok(isAnswered(caller.text), `code ${code}, at the end`)
        caller.socket.destroy()
      }
      t.strictSame(warnings, [])
      while (underWay() > 0) await new Promise(setImmediate)
    })
  }

  t.test('a call of gRPC that is reset at once with any code: the port goes on', async t => {
    const {port} = await openTestGrpcPort(t)
    const call = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc'}
    for (const code of codes) {
      for (const rest of endings(code)) {
        const caller = await connect(t, port)
        caller.send(PREFACE + request(1, call, 0) + rest + request(3, call))
        await caller.until(isAnswered)
        t.ok(isAnswered(caller.text), `code ${code}`)
        caller.socket.destroy()
      }
    }
  })

  for (const [how, pieces] of Object.entries(ANSWERS)) {
    t.test(`a call that is reset with any code while the app answers ${how}: the connection goes on`, async t => {
      const apps: net.Socket[] = []
      const news = new EventEmitter()
      const appPort = await rawApp(t, socket => {
        onRequest(socket, () => {
          apps.push(socket)
          news.emit('call')
        })
      })
      const {port, warnings, underWay} = await openTestSidecar(t, {appPort})
      for (const code of codes) {
        for (let before = 0; before <= pieces.length; before++) {
          const caller = await connect(t, port)
          caller.send(PREFACE + request(1, {':path': '/v1.0/invoke/b/method/x'}))
          while (apps.length === 0) await once(news, 'call')
          const app = apps.pop()
          app?.write(pieces.slice(0, before).join(''))
          if (before > 0) await caller.until(text => framesOf(text).frames.some(({stream}) => stream === 1))
          app?.write(pieces.slice(before).join(''))
          caller.send(reset(1, code) + request(3, HEALTH))
          await caller.until(isAnswered)
          t.ok(isAnswered(caller.text), `code ${code}, after ${before}`)
          caller.socket.destroy()
          while (underWay() > 0) await new Promise(setImmediate)
        }
      }
      t.strictSame(warnings, [])
    })
  }

  t.test('an upload that nobody reads, reset with any code: the call is over', async t => {
    const {port, underWay} = await openTestSidecar(t, {
      dial: deafDial,
      limits: {maxBodyBytes: 0, readBufferBytes: 4096}
    })
    for (const code of codes) {
      const caller = await connect(t, port)
      caller.send(PREFACE + request(1, {':method': 'POST', ':path': '/v1.0/invoke/b/method/x'}, 0))
      caller.send(data(1, 'x'.repeat(16_000)).repeat(4) + request(3, HEALTH))
      await caller.until(isAnswered)
      t.equal(underWay(), 1)
      caller.send(reset(1, code))
      while (underWay() > 0) await new Promise(setImmediate)
      caller.socket.destroy()
    }
  })
}
