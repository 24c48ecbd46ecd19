import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {EventEmitter, once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import {mock} from 'node:test'
import {text} from 'node:stream/consumers'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {bindLeft} from '../../../../src/control/left-ports.ts'
import type {Call} from '../../../../src/model/call.ts'
import {LOOPBACK} from '../../../../src/platform/probe.ts'
import {Faults} from '../../../../src/proxy/faults/faults.ts'
import {boundAt, release} from '../../../../src/proxy/net/claimed-server.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {listen, portOf} from '../../../../src/proxy/ports/bind.ts'
import {PublishedPort} from '../../../../src/proxy/published/published-port.ts'
import {contextOf, homeOf, openPort, publish} from './publish.ts'
import {data, END_STREAM, headers, onStream} from '../../dapr/sidecar/frames.ts'

t.test('a connection that passes as bytes is passed once, however long it lasts', async t => {
  let connections = 0
  const port = await publish(t, socket => {
    connections++
    socket.on('data', bytes => void socket.write(bytes))
  })
  const caller = net.connect(port, '127.0.0.1')
  t.teardown(() => void caller.destroy())
  caller.write('*1\r\n')
  t.equal(((await once(caller, 'data')) as [Buffer])[0].toString(), '*1\r\n')
  await pause(300) // longer than a silence after which the app may be one that speaks first
  caller.write('*2\r\n')
  t.equal(((await once(caller, 'data')) as [Buffer])[0].toString(), '*2\r\n')
  t.equal(connections, 1)
})

for (const ends of [false, true])
  t.test(`words without line end pass as bytes${ends ? ', also where their caller ends its side' : ''}`, async t => {
    const port = await publish(t, socket => void socket.pipe(socket))
    const caller = net.connect({port, host: '127.0.0.1', allowHalfOpen: true})
    t.teardown(() => void caller.destroy())
    caller.write('ruok')
    if (ends) caller.end()
    const said = await Promise.race([once(caller, 'data'), once(caller, 'end')])
    t.equal(String(said[0]), 'ruok')
  })

for (const silence of [0, 300])
  t.test(`an app hears where a caller’s words end${silence > 0 ? ', also of one that was silent' : ''}`, async t => {
    const port = await publish(t, socket => {
      let said = ''
      socket.on('data', bytes => (said += bytes.toString())).on('end', () => void socket.end(said))
    })
    const caller = net.connect({port, host: '127.0.0.1', allowHalfOpen: true})
    t.teardown(() => void caller.destroy())
    await pause(silence)
    caller.end('ruok')
    t.equal(String(((await once(caller, 'data')) as [Buffer])[0]), 'ruok')
  })

t.test('a caller that was silent is read as others when it speaks, also after its app was replaced', async t => {
  let asked = ''
  const calls: Call[] = []
  const atApp = new EventEmitter()
  const port = await publish(
    t,
    socket => {
      atApp.emit('open')
      socket
        .on('end', () => atApp.emit('end'))
        .on('data', bytes => {
          asked += bytes.toString()
          socket.write(bytes.includes('HTTP') ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : bytes)
        })
    },
    call => void calls.push(call)
  )
  const other = net.connect(port, '127.0.0.1')
  await once(atApp, 'open')
  other.write('AUTH\r\n')
  t.equal(String(((await once(other, 'data')) as [Buffer])[0]), 'AUTH\r\n', 'one that does not speak HTTP')
  other.destroy()
  await once(atApp, 'end')

  // as a browser that connects ahead
  const caller = net.connect({port, host: '127.0.0.1', noDelay: true})
  t.teardown(() => void caller.destroy())
  await once(atApp, 'open')
  calls.at(-1)?.stream?.endStream()
  await once(atApp, 'open')
  caller.write('POST / HTTP/1.1\r\nHo')
  await once(atApp, 'end')
  caller.write('st: x\r\nContent-Length: 2\r\n\r\nhi')
  t.match(String(((await once(caller, 'data')) as [Buffer])[0]), /^HTTP\/1.1 200 OK/)
  caller.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(String(((await once(caller, 'data')) as [Buffer])[0]), /^HTTP\/1.1 200 OK/)
  t.equal(asked.match(/traceparent/g)?.length, 2, 'a connection that passes as bytes gets none')
  t.same(calls.map(({method}) => method).slice(-2), ['POST', 'GET'])
})

t.test('a caller that was silent is read also while its app starts', async t => {
  const started = new EventEmitter()
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  const forever = new Promise<never>(() => undefined)
  const port = await publish(
    t,
    socket => void socket.on('data', () => socket.write(answer)),
    call => void started.emit(call.method),
    [{reason: 'starts', admitted: forever, cancel: () => void started.emit('left')}]
  )
  const caller = net.connect(port, '127.0.0.1')
  t.teardown(() => void caller.destroy())
  await once(started, 'TCP')
  caller.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(started, 'left')
  t.equal(String(((await once(caller, 'data')) as [Buffer])[0]), answer, 'it waits as a request, with its own answer')
})

/** Longer than a silence after which the app may be one that speaks first. */
const holdUp = (): void => void setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250))

t.test('a request that is read late, since this process was held up, is one of HTTP', async t => {
  let asked = ''
  const port = await publish(t, socket => {
    socket.on('data', bytes => {
      asked += bytes.toString()
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  subscribe('net.server.socket', holdUp)
  const caller = net.connect(port, '127.0.0.1')
  t.teardown(() => {
    unsubscribe('net.server.socket', holdUp)
    caller.destroy()
  })
  caller.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(caller, 'data')
  t.match(asked, /traceparent/, 'a connection that passes as bytes gets none')
})

t.test('a call without an answer does not pass another connection that has hardly begun', async t => {
  // no time passes: it is silent for no longer
  mock.timers.enable({apis: ['setTimeout']})
  const denied = {ok: false, error: 'it is gone', down: undefined} as const
  const context = contextOf(t, () => denied)
  const port = await openPort(t, context)
  const ask = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const [one, other] = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')]
  t.teardown(async () => {
    mock.timers.reset()
    one.destroy()
    other.destroy()
  })
  for (const each of [one, other]) each.on('error', () => undefined)
  one.write(ask)
  t.match(String(((await once(one, 'data')) as [Buffer])[0]), /^HTTP\/1.1 503 /)
  other.write(ask)
  const said = await Promise.race([once(other, 'data'), once(other, 'close').then(() => ['nothing'])])
  t.match(String(said[0]), /^HTTP\/1.1 503 /)
})

t.test('a call that an app of HTTP/2 leaves unhandled is sent once more', async t => {
  const seen: string[] = []
  const sockets = new Set<net.Socket>()
  let kills = 0
  const kill = (): void => {
    kills++
    for (const socket of sockets) socket.destroy()
  }
  const faults = new Faults({tell: () => undefined, kill})
  const any = {from: 'any', to: 'any', actor: '', method: '', delayMs: 0, jitterMs: 0, status: 0, body: '', cutAfter: 0}
  faults.add({...any, path: '/killed', kind: 'kill', rate: 1, seed: 1, times: Infinity, forMs: Infinity})
  const leave: Readonly<Record<string, (session: http2.ServerHttp2Session) => void>> = {
    '/lost': session => session.destroy(),
    '/always': session => session.destroy()
  }
  const app = http2.createServer().on('session', session => {
    session.on('error', () => undefined)
    let streams = 0
    session.on('stream', (stream, {':path': path = '', ':method': method = ''}) => {
      seen.push(`${method} ${path}`)
      stream.on('error', () => undefined).resume()
      if (path === '/refused' && streams++ === 1) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      if (path in leave && (streams++ > 0 || path === '/always')) return leave[path]?.(session)
      streams++
      stream.respond()
      return stream.end('ok')
    })
  })
  app.on('connection', (socket: net.Socket) => sockets.add(socket))
  await once(app.listen(0, '127.0.0.1'), 'listening')
  const {port: appPort} = app.address() as AddressInfo
  let pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
  const context = {
    ...contextOf(
      t,
      () => ({ok: true, pool, pid: 7, isLocal: true, token: '', pathPrefix: '', leave: () => undefined}) as const
    ),
    faults: {active: faults}
  }
  const port = await openPort(t, context)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(async () => {
    session.destroy()
    app.close()
    pool.cut()
  })
  const ask = async (method: string, path: string): Promise<unknown> => {
    const stream = session.request({':method': method, ':path': path})
    if (method === 'PUT') stream.end('body')
    const ended = new Promise(resolve => {
      stream.on('response', ({':status': status}) => resolve(status)).on('error', ({message}) => resolve(message))
    })
    stream.resume()
    return ended
  }
  /** What comes of the second request of a connection, and how often the app sees it. */
  const second = async (method: string, path: string): Promise<readonly [unknown, number]> => {
    pool.cut()
    pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
    await ask('GET', '/first')
    seen.length = 0
    const answer = await ask(method, path)
    return [answer, seen.filter(each => each === `${method} ${path}`).length]
  }
  t.same(await second('GET', '/lost'), [200, 2])
  t.same(await second('GET', '/always'), [502, 2])
  t.same(await second('DELETE', '/lost'), [502, 1])
  t.same(await second('PUT', '/lost'), [502, 1])
  t.same(await second('GET', '/refused'), [200, 2])
  t.same(await second('DELETE', '/refused'), [200, 2])
  t.same(await second('PUT', '/refused'), [200, 2], 'with its body')
  t.equal((await second('GET', '/killed'))[0], 502, 'a fault has ended it')
  t.equal(kills, 1)
})

t.test('a caller of HTTP/2 on another machine that is silent is pinged, and cut where it does not answer', async t => {
  const context = contextOf(t, () => ({ok: false, error: 'it is gone', down: undefined}) as const)
  mock.timers.enable({apis: ['setInterval']})
  let isHere = true
  const {createServer} = net
  t.intercept(net, 'createServer', {
    value: (options: net.ServerOpts) =>
      createServer(options).on('connection', socket => {
        if (!isHere) Object.defineProperty(socket, 'remoteAddress', {value: '192.0.2.1'})
      })
  })
  const port = await openPort(t, context)
  const callers: net.Socket[] = []
  t.teardown(async () => {
    mock.timers.reset()
    for (const each of callers) each.destroy()
  })
  /** A caller that says nothing after its preface. */
  const call = async () => {
    const caller = net.connect(port, '127.0.0.1').on('error', () => undefined)
    callers.push(caller)
    // the preface, and no settings of its own
    caller.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 'latin1')
    let text = ''
    const [settled, pinged] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    caller.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      // its settings are acknowledged: it is read
      if (text.includes('\0\0\0\u0004\u0001\0\0\0\0')) settled.resolve()
      if (text.includes('\0\0\u0008\u0006\0\0\0\0\0')) pinged.resolve('pinged')
    })
    await settled.promise
    return {pinged: pinged.promise, closed: once(caller, 'close').then(() => 'closed')}
  }
  const here = await call()
  isHere = false
  const away = await call()
  mock.timers.tick(20_000)
  await away.pinged
  mock.timers.tick(20_000)
  await away.closed
  // what halts in a debugger on this machine is not gone
  t.equal(await Promise.race([here.pinged, here.closed, pause(0, 'left alone')]), 'left alone')
})

t.test('an app that sends data of HTTP/2 before a head fails that request alone', async t => {
  const app = net.createServer(socket =>
    onStream(socket, stream => {
      const late = headers(stream, {':status': '200'}, 0) + data(stream, 'rest', END_STREAM)
      const odd = stream === 3 ? data(stream, 'x', END_STREAM) : data(stream, 'x') + late
      if (stream > 1) socket.write(odd, 'latin1')
    })
  )
  await once(app.listen(0, '127.0.0.1'), 'listening')
  const {port: appPort} = app.address() as AddressInfo
  const process = {ended: new Promise<string>(() => undefined), isEnding: () => false}
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort, process})
  const broken: unknown[] = []
  const leave = (isBroken?: boolean): void => void broken.push(isBroken)
  const context = contextOf(t, () => ({ok: true, pool, isLocal: true, token: '', pathPrefix: '', leave}) as const)
  const port = await openPort(t, context)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  t.teardown(async () => {
    session.destroy()
    pool.cut()
    app.close()
  })
  const other = session.request({':path': '/other'}).on('error', () => undefined)
  for (const _ of [1, 2]) {
    const stream = session.request({':path': '/'}).on('error', () => undefined)
    const status = new Promise(resolve => {
      stream.on('response', head => resolve(head[':status'])).on('close', () => resolve('nothing'))
    })
    stream.resume()
    t.equal(await status, 502)
  }
  t.strictSame(broken, [false, false], 'its connection is whole')
  t.notOk(other.closed)
})

t.test('a run that waits for a port gets its addresses one by one, opened connections get their answers', async t => {
  const claims = await listen(0, LOOPBACK)
  const [number, addresses] = [portOf(claims), claims.map(each => boundAt(each).address)]
  const context = contextOf(t, () => ({ok: false, status: 503, error: 'down'}))
  const port = new PublishedPort(
    claims,
    () => context,
    () => ''
  )
  t.teardown(async () => port.close(AbortSignal.abort()))
  const {home, isAsked} = await homeOf(t, port)
  const left = bindLeft({home}, {port: number, when: 'at the end', isWanted: host => LOOPBACK.includes(host)})
  await isAsked
  const callers = Array.from({length: 20}, () => net.connect(number, '127.0.0.1'))
  await Promise.all(callers.map(async caller => once(caller, 'connect')))
  const [bound] = await Promise.all([
    left,
    port.handOver(),
    ...callers.map(async caller => {
      caller.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      t.match(await text(caller), /^HTTP\/1\.1 503 /)
    })
  ])
  t.same(
    bound.map(each => boundAt(each).address),
    addresses
  )
  for (const each of bound) release(each)
})
