import http2 from 'node:http2'
import t, {type Test} from 'tap'
import type {Admission, Admit} from '../../../../src/proxy/gateway/admission.ts'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {Copy} from '../../../../src/proxy/net/copy.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {ResponseHeads} from '../../../../src/proxy/net/http1/response-heads.ts'
import {connect, request} from './caller.ts'
import {data, END_STREAM, headers, onStream, PREFACE} from './frames.ts'
import {onRequest, openTestSidecar, rawApp, type SidecarSettings} from './rig.ts'

/** Stands for any mistake of ours. */
const bug = (): never => {
  throw new TypeError('BUG')
}

class BrokenCopy extends Copy {
  override responded = bug
}

const copy = new BrokenCopy(
  {take: () => true, give: () => undefined},
  {tooLarge: () => undefined, send: () => undefined}
)

const admission = (pool: Pool, leave: () => void): Admission => ({
  ok: true,
  pool,
  isLocal: false,
  token: '',
  pathPrefix: '',
  leave
})

/** Where a bug bites the calls to `broken`. */
const PLACES: Readonly<Record<string, (pool: Pool) => Admission | ReturnType<Admit>>> = {
  'when it is let through': bug,
  'when it has waited': pool => ({
    admitted: Promise.resolve({
      ...admission(pool, () => undefined),
      get pool() {
        return bug()
      }
    }),
    cancel: () => undefined
  }),
  'at its answer': pool => admission(pool, () => undefined),
  'at its end': pool => admission(pool, bug)
}

const INVOKE = '/v1.0/invoke/broken/method/x'

/** A caller who calls `broken`; settles when his call is over, in whatever way. */
const CALLERS: Readonly<Record<string, (t: Test, port: number) => Promise<void>>> = {
  'the fast path': async (t, port) => {
    const caller = await connect(t, port)
    caller.send(`GET ${INVOKE} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await caller.closed()
  },
  'node:http': async (t, port) => {
    const caller = await connect(t, port)
    caller.send(`POST ${INVOKE} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`)
    await caller.closed()
  },
  'HTTP/2': async (_, port) => {
    const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
    session.on('error', () => undefined)
    const closed = new Promise(resolve => session.on('close', resolve))
    session
      .request({':path': INVOKE})
      .on('error', () => undefined)
      .resume()
    await closed
  },
  'an upgrade to HTTP/2': async (t, port) => {
    const caller = await connect(t, port)
    caller.send(
      `GET ${INVOKE} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n${PREFACE}`
    )
    await caller.closed()
  },
  'a websocket': async (t, port) => {
    const caller = await connect(t, port)
    caller.send(`GET ${INVOKE} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    await caller.closed()
  }
}

const appOf = async (t: Test, isHttp2: boolean): Promise<Pool> => {
  const port = await rawApp(t, socket => {
    if (isHttp2)
      onStream(
        socket,
        stream => void socket.write(headers(stream, {':status': '200'}, 0) + data(stream, 'ok', END_STREAM), 'latin1')
      )
    else onRequest(socket, () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  return new Pool({hosts: ['127.0.0.1'], port, dial: isHttp2 ? http2Dial : undefined})
}

for (const isHttp2 of [false, true]) {
  for (const [place, admit] of Object.entries(PLACES)) {
    for (const [caller, call] of Object.entries(CALLERS)) {
      // Nobody copies a websocket.
      if (place === 'at its answer' && caller === 'a websocket') continue
      const app = isHttp2 ? 'HTTP/2' : 'HTTP/1'
      t.test(`a bug that bites a call over ${caller} to an app of ${app} ${place}: one connection ends`, async t => {
        const pool = await appOf(t, isHttp2)
        t.teardown(() => pool.cut())
        const settings: SidecarSettings = {
          admit: ({callee}) => (callee === 'broken' ? admit(pool) : admission(pool, () => undefined)),
          copierOf: callee => (callee === 'broken' && place === 'at its answer' ? () => copy : undefined)
        }
        const {port, warnings} = await openTestSidecar(t, settings)
        const other = await connect(t, port)
        await call(t, port)
        t.match(warnings.join('\n'), /internal error.*TypeError: BUG\n +at .*bugs\.test\.ts/s)
        other.send(request({method: 'GET'}))
        t.match(await other.answer(), {status: 200, body: 'ok'}, 'others go on')
      })
    }
  }
}

t.test('a bug that bites a route of the sidecar: one connection ends', async t => {
  const {port, warnings} = await openTestSidecar(t, {facts: bug})
  const caller = await connect(t, port)
  caller.send('GET /v1.0/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await caller.closed()
  t.match(warnings, [/TypeError: BUG/])
  const other = await connect(t, port)
  other.send('GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(await other.answer(), {status: 204})
})

t.test('a bug that bites where HTTP/2 of an app is adapted: one connection ends', async t => {
  const pool = await appOf(t, true)
  t.teardown(() => pool.cut())
  const {port, warnings} = await openTestSidecar(t, {admit: () => admission(pool, () => undefined)})
  const own = Object.getOwnPropertyDescriptor(ResponseHeads.prototype, 'read') ?? {}
  ResponseHeads.prototype.read = bug
  const caller = await connect(t, port)
  caller.send(request({method: 'GET'}))
  await caller.closed()
  Object.defineProperty(ResponseHeads.prototype, 'read', own)
  t.match(warnings, [/TypeError: BUG/])
  const other = await connect(t, port)
  other.send(request({method: 'GET'}))
  t.match(await other.answer(), {status: 200, body: 'ok'})
})
