import {once} from 'node:events'
import type net from 'node:net'
import t, {type Test} from 'tap'
import {closed} from '../../../rig/closed.ts'
import {connect, request} from './caller.ts'
import {echoApp, openTestSidecar, rawApp} from './rig.ts'

const UPGRADE = request({
  method: 'GET',
  path: '/ws?x=1',
  lines: 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\nX-A: 1\r\n'
})
const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: def\r\n\r\n'

interface Accepted {
  readonly socket: net.Socket
  readonly head: string
  /** Settles when this has come behind the head. */
  readonly until: (text: string) => Promise<void>
}

/** An app that accepts, and hands over its socket and the head it got. */
const acceptor = (): {readonly serve: (socket: net.Socket) => void; readonly opened: Promise<Accepted>} => {
  const {promise, resolve} = Promise.withResolvers<Accepted>()
  return {
    serve: socket => {
      const came: string[] = []
      const until = async (text: string): Promise<void> => {
        while (came.join('') !== text) await once(socket, 'data')
      }
      socket.once('data', bytes => {
        socket.on('data', more => came.push(more.toString('latin1')))
        socket.write(ACCEPTED)
        resolve({socket, head: bytes.toString('latin1'), until})
      })
    },
    opened: promise
  }
}

t.test('a websocket passes as a tunnel, with what came early', async t => {
  const {serve, opened} = acceptor()
  const {port, underWay} = await openTestSidecar(t, {appPort: await rawApp(t, serve)})
  const caller = await connect(t, port)
  caller.send(`${UPGRADE}early`)
  const {socket, head, until} = await opened
  t.match(head, /^GET \/ws\?x=1 HTTP\/1\.1\r\n/)
  t.match(head, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/)
  t.match(head, /\r\nSec-WebSocket-Key: abc\r\nX-A: 1\r\n/)
  t.match(head, /\r\nDapr-Caller-App-Id: a\r\n/)
  t.match(await caller.answer(), {
    status: 101,
    headers: {upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': 'def'}
  })
  await until('early')
  socket.write('from the app')
  await caller.until(text => text === 'from the app')
  caller.send(', from the caller')
  await until('early, from the caller')
  t.equal(underWay(), 1)
  socket.end('bye')
  t.equal(await caller.closed(), 'from the appbye')
  t.equal(underWay(), 0)
})

t.test('a caller who leaves a tunnel closes it, in whatever way', async t => {
  for (const how of ['fin', 'reset']) {
    const {serve, opened} = acceptor()
    const {port, underWay} = await openTestSidecar(t, {appPort: await rawApp(t, serve)})
    const caller = await connect(t, port)
    caller.send(UPGRADE)
    await caller.answer()
    const {socket} = await opened
    socket.resume()
    if (how === 'fin') caller.socket.end()
    else caller.socket.resetAndDestroy()
    await closed(socket)
    await caller.closed()
    t.equal(underWay(), 0, how)
  }
})

t.test('a caller who leaves before the tunnel stands takes his call along', async t => {
  const {promise, resolve} = Promise.withResolvers<net.Socket>()
  const appPort = await rawApp(t, socket => {
    socket.once('data', () => {
      resolve(socket)
    })
  })
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(UPGRADE)
  const app = await promise
  caller.socket.end()
  await closed(app)
  t.equal(underWay(), 0)
})

t.test('an app that does not take the upgrade gives a plain answer', async t => {
  for (const answer of [
    'HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nnope',
    'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n'
  ]) {
    const appPort = await rawApp(t, socket => {
      socket.once('data', () => socket.write(answer))
    })
    const {port, underWay} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(UPGRADE)
    t.match(await caller.answer(), {status: 403, body: 'nope', headers: {connection: 'close'}})
    await caller.closed()
    t.equal(underWay(), 0)
  }
})

t.test('a websocket to nobody, to a dead app or from elsewhere is answered like a call', async t => {
  const {port} = await openTestSidecar(t)
  const cases = [
    [UPGRADE.replace('/invoke/b/', '/invoke/nobody/'), 500, /couldn't find service: nobody/],
    [UPGRADE, 500, /refused/],
    [UPGRADE.replace('/v1.0/invoke/b/method', '/nothing'), 404, /failed getting app id/],
    [UPGRADE.replace('Host: localhost', 'Host: evil.example'), 403, /ERR_FOREIGN_HOST/],
    [UPGRADE.replace('Host: localhost\r\n', ''), 400, /400 Bad Request/]
  ] as const
  for (const [text, status, body] of cases) {
    const caller = await connect(t, port)
    caller.send(text)
    t.match(await caller.answer(), {status, body, headers: {connection: 'close'}})
    await caller.closed()
  }
})

t.test('other upgrades are plain calls', async t => {
  const appPort = await rawApp(t, socket => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain'))
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({method: 'GET', lines: 'Connection: Upgrade\r\nUpgrade: h2c\r\n'}))
  t.match(await caller.answer(), {status: 200, body: 'plain'})
  caller.send(request({method: 'GET', lines: 'Upgrade: websocket\r\n'}))
  t.match(await caller.answer(), {status: 200, body: 'plain'}, 'a websocket without Connection')
})

t.test('a request behind one that does not get its upgrade is answered, whatever bytes it has', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const settings = 'Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n'
  for (const lines of ['Connection: Upgrade\r\nUpgrade: foo\r\n', `${settings}Upgrade: h2c\r\n`]) {
    const caller = await connect(t, port)
    const next = request({method: 'ODD', path: '/\xe9', body: 'next'})
    caller.send(request({lines, body: 'first'}) + next)
    t.match(await caller.answer(), {status: 200, body: 'first'})
    t.match(await caller.answer(), {status: 200, body: 'next'}, 'in the same packet')
    caller.send(next)
    t.match(await caller.answer(), {status: 200, body: 'next'}, 'later')
  }
})

t.test('a tunnel closes when its sidecar is destroyed', async t => {
  const {serve, opened} = acceptor()
  const {port, sidecar, underWay} = await openTestSidecar(t, {appPort: await rawApp(t, serve)})
  const caller = await connect(t, port)
  caller.send(UPGRADE)
  await caller.answer()
  const {socket} = await opened
  socket.resume()
  void sidecar.close(AbortSignal.abort())
  await caller.closed()
  await closed(socket)
  t.equal(underWay(), 0)
})

/** A sidecar whose middleware decides when `pass` is called; `asked`: it has been asked. */
const openSlow = async (t: Test, appPort: number) => {
  const asked = Promise.withResolvers<void>()
  const decided = Promise.withResolvers<undefined>()
  const decide = async (): Promise<undefined> => {
    asked.resolve()
    return decided.promise
  }
  const opened = await openTestSidecar(t, {appPort, rules: {interceptor: undefined, pipeline: [decide]}})
  return {...opened, asked: asked.promise, pass: () => decided.resolve(undefined)}
}

/** The sidecar reads what was sent, if it reads. */
const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await new Promise(setImmediate)
}

t.test('what a caller sends while middleware decides reaches the app', async t => {
  const {serve, opened} = acceptor()
  const {port, asked, pass} = await openSlow(t, await rawApp(t, serve))
  const caller = await connect(t, port)
  caller.send(UPGRADE)
  await asked
  caller.send('early')
  await turns()
  pass()
  await (await opened).until('early')
  caller.socket.destroy()
})

t.test('a caller who leaves while middleware decides leaves no tunnel behind', async t => {
  const {port, underWay, asked, pass} = await openSlow(t, await rawApp(t, acceptor().serve))
  const caller = await connect(t, port)
  caller.send(UPGRADE)
  await asked
  caller.socket.end()
  await turns()
  pass()
  await caller.closed()
  t.equal(underWay(), 0)
})
