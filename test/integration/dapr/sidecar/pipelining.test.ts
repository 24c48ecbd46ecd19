import {setImmediate as turn} from 'node:timers/promises'
import {chunked, connect, request, type Caller} from './caller.ts'
import {echoApp, onBothPaths, onRequest, openTestSidecar, rawApp} from './rig.ts'

const bodiesOf = async (caller: Caller, count: number): Promise<string[]> => {
  const bodies: string[] = []
  for (let at = 0; at < count; at++) bodies.push((await caller.answer())?.body ?? 'none')
  return bodies
}

onBothPaths('pipelined requests get their responses in order, each complete', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  for (const count of [3, 50, 400]) {
    const bodies = Array.from({length: count}, (_, at) => `${at} `.padEnd(at % 3 === 0 ? 1024 : 5, 'x'))
    const caller = await connect(t, port)
    caller.send(bodies.map((body, at) => (at % 4 === 3 ? chunked([body]) : request({body}))).join(''))
    t.strictSame(await bodiesOf(caller, count), bodies, `${count} of them`)
  }
})

onBothPaths('calls of one connection go to the app one at a time, even if the first is slow', async t => {
  let underWay = 0
  let most = 0
  const {port: appPort} = await echoApp(t, (request, response) => {
    most = Math.max(most, ++underWay)
    const answer = (): void => {
      underWay--
      response.end(request.url)
    }
    if (request.url === '/0') setTimeout(answer, 50)
    else answer()
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send([0, 1, 2, 3].map(at => request({method: 'GET', path: `/${at}`})).join(''))
  t.strictSame(await bodiesOf(caller, 4), ['/0', '/1', '/2', '/3'])
  t.equal(most, 1)
})

onBothPaths('the error for an unknown app comes in order, and the connection stays usable', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  const unknown = 'POST /v1.0/invoke/nobody/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc'
  caller.send(request({body: 'one'}) + unknown + request({body: 'two'}))
  t.match(await caller.answer(), {status: 200, body: 'one'})
  t.match(await caller.answer(), {
    status: 500,
    body: `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: nobody, err: couldn't find service: nobody"}`
  })
  t.match(await caller.answer(), {status: 200, body: 'two'})
})

onBothPaths('an app may close its connection after each response, announced or not', async t => {
  for (const announce of ['Connection: close\r\n', '']) {
    const appPort = await rawApp(t, socket => {
      onRequest(socket, () => {
        socket.end(`HTTP/1.1 200 OK\r\n${announce}Content-Length: 2\r\n\r\nok`)
      })
    })
    const {port} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    for (let count = 0; count < 30; count++) {
      caller.send(request({method: 'GET'}))
      t.match(await caller.answer(), {status: 200, body: 'ok'})
    }
  }
})

onBothPaths('somebody who sends ahead for ever is not read further', async t => {
  const {port: appPort} = await echoApp(t, () => undefined)
  const {port, underWay} = await openTestSidecar(t, {appPort})
  for (const text of [request({method: 'GET'}), chunked(['x'])]) {
    const {socket} = await connect(t, port)
    socket.write(text.repeat(100_000))
    for (let before = -1; before !== socket.bytesWritten - socket.writableLength;) {
      before = socket.bytesWritten - socket.writableLength
      for (let count = 0; count < 50; count++) await turn()
    }
    t.ok(socket.writableLength > 0, `${socket.writableLength} bytes are still with the caller`)
  }
  t.equal(underWay(), 2)
})

onBothPaths(
  'the requests of a connection that sends thousands at once are served over many turns of the loop',
  async t => {
    const {port} = await openTestSidecar(t)
    for (const path of ['/v1.0/healthz', '/v1.0/invoke/nobody/method/x', '/v1.0/nothing']) {
      const caller = await connect(t, port)
      caller.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(1600))
      let turns = 0
      const over = new AbortController()
      const counted = (async () => {
        for (; !over.signal.aborted; turns++) await turn()
      })()
      await bodiesOf(caller, 1600)
      over.abort()
      await counted
      t.ok(turns >= 100, `${path}: 1,600 requests in ${turns} turns`)
    }
  }
)

onBothPaths('a websocket behind two calls of the same connection waits for them', async t => {
  const appPort = await rawApp(t, socket => {
    let isOpen = false
    socket.on('data', bytes => {
      const text = bytes.toString('latin1')
      if (isOpen) return void socket.write(`echo ${text}`)
      if (!text.startsWith('GET /ws ')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      isOpen = true
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  const upgrade = request({method: 'GET', path: '/ws', lines: 'Connection: Upgrade\r\nUpgrade: websocket\r\n'})
  caller.send(request({method: 'GET'}) + request({method: 'GET'}) + upgrade)
  t.match(await caller.answer(), {status: 200, body: 'ok'})
  t.match(await caller.answer(), {status: 200, body: 'ok'})
  t.match(await caller.answer(), {status: 101})
  caller.send('hello')
  await caller.until(text => text.includes('echo hello'))
  t.equal(caller.text, 'echo hello')
})
