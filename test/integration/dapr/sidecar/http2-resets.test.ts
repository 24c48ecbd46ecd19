import {once} from 'node:events'
import {EventEmitter} from 'node:events'
import net from 'node:net'
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

/** Every code of RFC 9113 §7, one that nobody knows, the largest. */
const CODES = [...Array.from({length: 14}, (_, code) => code), 255, 0x7f_ff_ff_ff, 0xff_ff_ff_ff]

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

const isAnswered = (text: string): boolean =>
  framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 3)

const isAnswered1 = (text: string): boolean =>
  framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 1)

const HEALTH = {':path': '/v1.0/healthz'}

for (const what of Object.keys(ROUTES)) {
  t.test(`${what}, asked for and reset at once with any code: the connection goes on`, async t => {
    const {port: appPort} = await echoApp(t)
    const {port, warnings, underWay} = await openTestSidecar(t, {appPort})
    for (const code of CODES) {
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
  for (const code of CODES) {
    for (const rest of endings(code)) {
      const caller = await connect(t, port)
      caller.send(PREFACE + request(1, call, 0) + rest + request(3, call))
      await caller.until(isAnswered)
      t.ok(isAnswered(caller.text), `code ${code}`)
      caller.socket.destroy()
    }
  }
})

/** How an app answers: in pieces, each of which is written after the caller's reset or before. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  'with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n', 'abc', 'def'],
  'in chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '3\r\nabc\r\n', '0\r\nX-End: 1\r\n\r\n'],
  'all at once': ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'],
  'without a body': ['HTTP/1.1 204 No Content\r\n\r\n'],
  'with a body where none may be': ['HTTP/1.1 205 Reset Content\r\nContent-Length: 3\r\n\r\n', 'abc']
}

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
    for (const code of CODES) {
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

/** A connection to an app that reads nothing. */
const deafDial: Dial = {
  scheme: 'http',
  opens: 'connect',
  open: () => {
    const link = new Duplex({read: () => undefined, write: () => undefined})
    process.nextTick(() => link.emit('connect'))
    return link
  }
}

t.test('an upload that nobody reads, reset with any code: the call is over', async t => {
  const {port, underWay} = await openTestSidecar(t, {dial: deafDial, limits: {maxBodyBytes: 0, readBufferBytes: 4096}})
  for (const code of CODES) {
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

const OPEN = {':path': '/v1.0/invoke/b/method/x'}

/** A flood: streams that are reset at once, or more streams than may be. */
const FLOODS: Readonly<Record<string, (stream: number) => string>> = {
  'resets at once': stream => request(stream, OPEN) + reset(stream, 8),
  'more streams than may be': stream => request(stream, OPEN)
}

for (const [what, flood] of Object.entries(FLOODS))
  t.test(`${what}, sent ahead: the connection is closed before a call is made`, async t => {
    let calls = 0
    const appPort = await rawApp(t, socket => onRequest(socket, () => calls++))
    const {port, underWay, warnings} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(PREFACE + Array.from({length: 600}, (_, n) => flood(2 * n + 1)).join(''))
    await caller.closed()
    t.equal(underWay(), 0)
    t.equal(calls, 0)
    t.strictSame(warnings, [])
  })

t.test(
  'streams that are reset before they are served, one batch behind the other: the connection is cut after tens of them',
  async t => {
    const appPort = await rawApp(t, socket => void socket.resume())
    const {port, underWay} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(PREFACE + request(1, HEALTH))
    await caller.until(isAnswered1)
    let stream = 1
    while (!caller.isClosed && stream < 4000) {
      let batch = ''
      for (let n = 0; n < 20; n++) batch += FLOODS['resets at once']?.((stream += 2)) ?? ''
      caller.send(batch)
      await new Promise(setImmediate)
    }
    await caller.closed()
    t.ok(stream < 4000, `${stream}: the last stream`)
    while (underWay() > 0) await new Promise(setImmediate)
  }
)

t.test('after a flood others are served: who is connected at once, who comes over HTTP/2 a little later', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const here = await connect(t, port)
  here.send(PREFACE + request(1, HEALTH))
  await here.until(isAnswered1)
  for (let n = 0; n < 3; n++) {
    const caller = await connect(t, port)
    caller.send(PREFACE + Array.from({length: 600}, (_, k) => FLOODS['resets at once']?.(2 * k + 1)).join(''))
    await caller.closed()
  }
  here.send(request(3, HEALTH))
  await here.until(isAnswered)
  t.ok(isAnswered(here.text))
  const later = await connect(t, port)
  later.send(PREFACE + request(1, HEALTH) + request(3, HEALTH))
  await later.until(isAnswered)
  t.ok(isAnswered(later.text))
  // a few resets are not taken amiss, even now
  later.send(request(5, OPEN) + reset(5, 8) + request(7, HEALTH))
  await later.until(text => framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 7))
  t.equal(later.isClosed, false)
})
