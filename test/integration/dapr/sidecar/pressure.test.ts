import {once} from 'node:events'
import type net from 'node:net'
import {closed} from '../../../rig/closed.ts'
import {chunked, connect, request} from './caller.ts'
import {echoApp, onBothPaths, onRequest, openTestSidecar, rawApp} from './rig.ts'

const MEGABYTE = 1 << 20
const UNLIMITED = {limits: {maxBodyBytes: 0, readBufferBytes: 4096}}

/** Resolves with the first connection that an app gets, and what it brings. */
const firstConnection = (): {readonly take: (socket: net.Socket) => void; readonly came: Promise<net.Socket>} => {
  const {promise, resolve} = Promise.withResolvers<net.Socket>()
  return {take: resolve, came: promise}
}

/** Writes until the reader holds it back for good: how many bytes were taken. */
const fill = async (socket: net.Socket, piece: Buffer, most: number): Promise<number> => {
  let taken = 0
  while (taken < most) {
    const isWritten = new Promise<boolean>(resolve => {
      socket.write(piece, () => {
        resolve(true)
      })
    })
    const isStuck = new Promise<boolean>(resolve => setTimeout(resolve, 300, false))
    if (!(await Promise.race([isWritten, isStuck]))) return taken
    taken += piece.length
  }
  return taken
}

onBothPaths('a reader that stops applies back-pressure to the app, and gets every byte when it continues', async t => {
  const {take, came} = firstConnection()
  const appPort = await rawApp(t, take)
  const {port} = await openTestSidecar(t, {appPort, ...UNLIMITED})
  const caller = await connect(t, port)
  caller.socket.pause()
  caller.send(request({method: 'GET'}))
  const app = await came
  const total = 64 * MEGABYTE
  app.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
  const piece = Buffer.alloc(MEGABYTE, 'ab')
  const taken = await fill(app, piece, total)
  t.ok(taken < 40 * MEGABYTE, `${taken} bytes were taken`)
  let received = 0
  const {promise: allCame, resolve} = Promise.withResolvers<void>()
  caller.socket.removeAllListeners('data').on('data', bytes => {
    received += bytes.length
    if (received >= total) resolve()
  })
  caller.socket.resume()
  for (let written = taken + MEGABYTE; written < total; written += MEGABYTE) app.write(piece)
  await allCame
  t.ok(received >= total)
})

onBothPaths(
  'an app that stops reading applies back-pressure to the caller, and gets every byte when it continues',
  async t => {
    const {take, came} = firstConnection()
    const appPort = await rawApp(t, socket => {
      socket.pause()
      take(socket)
    })
    const {port} = await openTestSidecar(t, {appPort, ...UNLIMITED})
    const caller = await connect(t, port)
    const total = 64 * MEGABYTE
    caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${total}\r\n\r\n`)
    const app = await came
    const piece = Buffer.alloc(MEGABYTE, 'ab')
    const taken = await fill(caller.socket, piece, total)
    t.ok(taken < 40 * MEGABYTE, `${taken} bytes were taken`)
    let received = -1
    app.on('data', bytes => {
      received += received < 0 ? bytes.length - bytes.indexOf('\r\n\r\n') - 3 : bytes.length
      if (received === total) app.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone')
    })
    app.resume()
    for (let written = taken + MEGABYTE; written < total; written += MEGABYTE) caller.send(piece)
    t.match(await caller.answer(), {status: 200, body: 'done'})
  }
)

onBothPaths(
  'an answer that comes before the upload is done reaches the caller, and the upload does not hang',
  async t => {
    const appPort = await rawApp(t, socket => {
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop')
      })
    })
    const {port, underWay} = await openTestSidecar(t, {appPort, ...UNLIMITED})
    const caller = await connect(t, port)
    const total = 16 * MEGABYTE
    caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${total}\r\n\r\n`)
    const piece = Buffer.alloc(MEGABYTE)
    for (let written = 0; written < total; written += MEGABYTE) caller.send(piece)
    t.match(await caller.answer(), {status: 413, body: 'stop'})
    while (caller.socket.writableLength > 0) await once(caller.socket, 'drain')
    t.equal(underWay(), 0)
    caller.send('POST /v1.0/invoke/nobody/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n')
    t.match(await caller.answer(), {status: 500}, 'the line goes on')
  }
)

onBothPaths('an app that exits during a large upload: 500, and the upload does not hang', async t => {
  const appPort = await rawApp(t, socket => {
    socket.once('data', () => {
      socket.pause()
      setTimeout(() => socket.destroy(), 50)
    })
  })
  const {port, underWay} = await openTestSidecar(t, {appPort, ...UNLIMITED})
  const caller = await connect(t, port)
  const total = 16 * MEGABYTE
  caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${total}\r\n\r\n`)
  const piece = Buffer.alloc(MEGABYTE)
  for (let written = 0; written < total; written += MEGABYTE) caller.send(piece)
  t.match(await caller.answer(), {status: 500})
  while (caller.socket.writableLength > 0) await once(caller.socket, 'drain')
  t.equal(underWay(), 0)
})

onBothPaths('a caller that disconnects ends its call, while it is queued, uploads or downloads', async t => {
  const heads = {
    waiting: request({body: 'x'}),
    uploading: request({body: 'abcdef'}).slice(0, -2),
    downloading: request({path: '/events'})
  }
  for (const [what, text] of Object.entries(heads)) {
    for (const how of ['fin', 'reset']) {
      const {take, came} = firstConnection()
      const appPort = await rawApp(t, socket => {
        socket.on('data', bytes => {
          if (bytes.includes('/events')) socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
          take(socket)
        })
      })
      const {port, underWay, warnings} = await openTestSidecar(t, {appPort})
      const caller = await connect(t, port)
      caller.send(text)
      const app = await came
      if (what === 'downloading') await caller.until(received => received.includes('x\r\n'))
      if (how === 'fin') caller.socket.end()
      else caller.socket.resetAndDestroy()
      await closed(app)
      t.pass(`${what}, ${how}: the app's connection closed`)
      t.equal(underWay(), 0)
      t.strictSame(warnings, [])
    }
  }
})

onBothPaths('events and pieces of an upload are streamed', async t => {
  const {take, came} = firstConnection()
  const appPort = await rawApp(t, take)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send('POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n')
  caller.send('Transfer-Encoding: chunked\r\n\r\n')
  const app = await came
  let uploaded = ''
  app.on('data', bytes => {
    uploaded += bytes.toString('latin1')
  })
  while (!uploaded.includes('\r\n\r\n')) await once(app, 'data')
  app.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
  await caller.until(text => text.includes('\r\n\r\n'))
  t.match(caller.text, /^HTTP\/1\.1 200 OK\r\n/, 'the head does not wait for a body')
  for (let count = 0; count < 5; count++) {
    const text = `data: ${count}\n\n`
    caller.send(`${text.length.toString(16)}\r\n${text}\r\n`)
    while (!uploaded.includes(text)) await once(app, 'data')
    app.write(`${text.length.toString(16)}\r\n${text}\r\n`)
    await caller.until(received => received.includes(text))
  }
  caller.send('0\r\n\r\n')
  while (!uploaded.endsWith('0\r\n\r\n')) await once(app, 'data')
  app.write('0\r\n\r\n')
  await caller.until(text => text.endsWith('0\r\n\r\n'))
  t.ok(caller.text.endsWith('0\r\n\r\n'))
})

onBothPaths('a body above the limit is refused, with or without a length, and never truncated silently', async t => {
  const limits = {maxBodyBytes: 1000, readBufferBytes: 4096}
  const {port: appPort, seen} = await echoApp(t)
  const {port, underWay} = await openTestSidecar(t, {appPort, limits})
  const expected =
    '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: stream too large [the limit is maxBodySize: 1000 bytes]"}'
  for (const [text, status] of [
    [request({body: 'x'.repeat(1000)}), 200],
    [request({body: 'x'.repeat(1001)}), 500],
    [chunked(['x'.repeat(500), 'x'.repeat(500)]), 200],
    [chunked(['x'.repeat(500), 'x'.repeat(501)]), 500]
  ] as const) {
    const caller = await connect(t, port)
    caller.send(text)
    const answer = await caller.answer()
    t.equal(answer?.status, status)
    if (status === 500) t.equal(answer?.body, expected)
    caller.send(request({body: 'next'}))
    t.match(await caller.answer(), {status: 200, body: 'next'}, 'the line goes on')
  }
  t.equal(seen.length, 6, 'the app saw the good ones only')
  t.equal(underWay(), 0)
})

onBothPaths('a chunked body that exceeds the limit late is refused too', async t => {
  const limits = {maxBodyBytes: 1000, readBufferBytes: 4096}
  const {take, came} = firstConnection()
  const appPort = await rawApp(t, take)
  const {port} = await openTestSidecar(t, {appPort, limits})
  const caller = await connect(t, port)
  const text = chunked(['x'.repeat(500), 'x'.repeat(501)])
  caller.send(text.slice(0, 700))
  const app = await came
  await once(app, 'data')
  caller.send(text.slice(700))
  t.match(await caller.answer(), {status: 500, body: /stream too large/})
  await closed(app)
  caller.send(request({body: 'next'}))
  caller.socket.destroy()
})

onBothPaths('a call ends only after its response was sent: calls in flight finish when the sidecar closes', async t => {
  const {take, came} = firstConnection()
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      take(socket)
    })
  })
  const {port, sidecar} = await openTestSidecar(t, {appPort})
  const idle = await connect(t, port)
  const caller = await connect(t, port)
  caller.send(request())
  const app = await came
  const closing = sidecar.close()
  await idle.closed()
  app.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  t.match(await caller.answer(), {status: 200, body: 'ok'})
  await caller.closed()
  await closing
  await t.rejects(connect(t, port), {code: 'ECONNREFUSED'})
})
