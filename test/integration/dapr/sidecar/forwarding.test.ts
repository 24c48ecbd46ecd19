import t from 'tap'
import {ask, chunked, connect, request} from './caller.ts'
import {echoApp, onBothPaths, onRequest, openTestSidecar, rawApp, valuesOf} from './rig.ts'

const ALL_BYTES = Array.from({length: 256}, (_, byte) => String.fromCharCode(byte)).join('')

onBothPaths('each method is passed on, with and without a body', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    t.match(await ask(t, port, request({method})), {status: 200, body: ''}, `${method} without a body`)
    t.match(await ask(t, port, request({method, body: 'abc'})), {status: 200, body: 'abc'}, `${method} with a body`)
  }
  t.strictSame(
    seen.map(({method}) => method),
    ['GET', 'GET', 'POST', 'POST', 'PUT', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'DELETE', 'OPTIONS', 'OPTIONS']
  )
})

onBothPaths('a method that Dapr does not know reaches the app as POST', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, request({method: 'PROPFIND', body: 'abc'})), {status: 200, body: 'abc'})
  t.equal(seen[0]?.method, 'POST')
})

t.test('methods that node:http rejects are parsed by the fast path', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort, hasFastPath: true})
  for (const method of ['FOO', 'get', 'Delete']) {
    t.match(await ask(t, port, request({method, body: 'abc'})), {status: 200, body: 'abc'}, method)
  }
  t.strictSame(
    seen.map(({method}) => method),
    ['POST', 'GET', 'DELETE']
  )
})

onBothPaths('every byte of a body is passed on, in its original framing', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, request({body: ALL_BYTES})), {status: 200, body: ALL_BYTES, framing: 'length'})
  t.match(await ask(t, port, chunked([ALL_BYTES, ALL_BYTES], 'X-Answer-Chunks: 1\r\n')), {
    status: 200,
    body: ALL_BYTES + ALL_BYTES,
    framing: 'chunks'
  })
  t.strictSame(
    seen.map(each => [valuesOf(each, 'content-length'), valuesOf(each, 'transfer-encoding')]),
    [
      [['256'], []],
      [[], ['chunked']]
    ]
  )
})

onBothPaths('a POST without a body has Content-Length 0 for the app', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  await ask(t, port, 'POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.strictSame(
    seen.map(each => valuesOf(each, 'content-length')),
    [['0']]
  )
})

onBothPaths('one megabyte is uploaded, eight are downloaded, every byte of them', async t => {
  const large = ALL_BYTES.repeat(32_768)
  const {port: appPort, seen} = await echoApp(t, (_, response) => response.end(Buffer.from(large, 'latin1')))
  const {port} = await openTestSidecar(t, {appPort})
  const answer = await ask(t, port, request({body: large.slice(0, 1 << 20)}))
  t.equal(seen[0]?.body === large.slice(0, 1 << 20), true, 'up')
  t.equal(answer?.body === large, true, 'down')
})

onBothPaths('the response to a HEAD has no body, and the connection stays usable', async t => {
  const {port: appPort} = await echoApp(t, (request, response) => {
    if (request.url === '/length') response.setHeader('content-length', '5')
    response.end(request.method === 'HEAD' ? undefined : 'hello')
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({method: 'HEAD', path: '/length'}))
  t.match(await caller.answer({toHead: true}), {status: 200, headers: {'content-length': '5'}})
  caller.send(request({method: 'HEAD', path: '/chunks'}))
  t.match(await caller.answer({toHead: true}), {status: 200})
  caller.send(request({method: 'GET'}))
  t.match(await caller.answer(), {status: 200, body: 'hello'})
})

onBothPaths('responses without a body by their status leave the connection usable', async t => {
  const {port: appPort} = await echoApp(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    if (status === 304) response.setHeader('content-length', '99')
    response.writeHead(status).end()
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  for (const status of [204, 304, 201]) {
    caller.send(request({method: 'GET', path: `/${status}`}))
    t.match(await caller.answer(), {status, body: ''})
  }
})

onBothPaths("an app's status, repeated headers and high bytes are passed on unchanged", async t => {
  const high = ALL_BYTES.slice(0x80)
  const appPort = await rawApp(t, socket => {
    onRequest(socket, head => {
      const status = /status=(\d+)/.exec(head)?.[1] ?? '200'
      const text = `HTTP/1.1 ${status} Some R\xe9ason\r\nSet-Cookie: a=1\r\nX-High: ${high}\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\nok`
      socket.write(text, 'latin1')
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  for (const status of ['200', '201', '302', '400', '404', '500', '503', '599']) {
    const answer = await ask(t, port, request({method: 'GET', path: `/?status=${status}`}))
    t.match(answer, {status: Number(status), body: 'ok', framing: 'length'})
    t.equal(answer?.headers['set-cookie'], 'a=1, b=2')
    t.equal(answer?.headers['x-high'], high)
  }
})

/** Statuses and the words of Go for them. */
const REASONS = [
  ['200', 'OK'],
  ['203', 'Non-Authoritative Information'],
  ['299', 'status code 299'],
  ['302', 'Found'],
  ['413', 'Request Entity Too Large'],
  ['414', 'Request URI Too Long'],
  ['416', 'Requested Range Not Satisfiable'],
  ['418', "I'm a teapot"],
  ['420', 'status code 420'],
  ['503', 'Service Unavailable'],
  ['509', 'status code 509'],
  ['599', 'status code 599']
] as const

onBothPaths('the reason phrase is Go’s, whatever the app sends', async t => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, head => {
      const [, status = '', words = '', more = ''] = /status=(\d+)&(\w*)&(\w*)/.exec(head) ?? []
      const body = more === '' ? 'Content-Length: 0\r\n\r\n' : 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
      socket.write(`HTTP/1.1 ${status} ${words}\r\n${body}`)
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  for (const [status, words] of REASONS) {
    for (const path of [`/?status=${status}&SERVICE&`, `/?status=${status}&&`, `/?status=${status}&OK&chunks`]) {
      for (const lines of ['', upgrade]) {
        const answer = await ask(t, port, request({method: 'GET', path, lines}))
        t.equal(answer?.head.slice(0, answer.head.indexOf('\r')), `HTTP/1.1 ${status} ${words}`, path + lines)
      }
    }
  }
})

onBothPaths("high bytes in a request's headers reach the app", async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const high = ALL_BYTES.slice(0x80)
  t.match(await ask(t, port, request({lines: `X-High: ${high}\r\n`, body: 'x'})), {status: 200})
  t.strictSame(
    seen.map(each => valuesOf(each, 'x-high')),
    [[high]]
  )
})

onBothPaths('a response without a length is chunked, and for HTTP/1.0 ends with the connection', async t => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nuntil ')
      socket.end('the end')
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, request()), {status: 200, body: 'until the end', framing: 'chunks'})
  const old = 'GET /v1.0/invoke/b/method/x HTTP/1.0\r\nHost: localhost\r\n\r\n'
  t.match(await ask(t, port, old), {status: 200, body: 'until the end', framing: 'close'})
})

onBothPaths('no chunks reach HTTP/1.0', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const text = `POST /v1.0/invoke/b/method/x HTTP/1.0\r\nX-Answer-Chunks: 1\r\nContent-Length: 3\r\n\r\nabc`
  t.match(await ask(t, port, text), {status: 200, body: 'abc', framing: 'close'})
})

onBothPaths('chunk extensions, upper case, leading zeros and trailers are accepted and ignored', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const text =
    'POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '0000A;name=value\r\n0123456789\r\n1\r\nx\r\n000\r\nX-Trailer: 1\r\n\r\n'
  t.match(await ask(t, port, text), {status: 200, body: '0123456789x'})
  t.strictSame(
    seen.map(each => valuesOf(each, 'x-trailer')),
    [[]]
  )
})

onBothPaths('interim responses are not passed on, and an app may write byte by byte', async t => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      const text =
        'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n02\r\nde\r\n0\r\nX-T: 1\r\n\r\n'
      const next = (at: number): void => {
        if (at < text.length) socket.write(text.slice(at, at + 1), () => setImmediate(next, at + 1))
      }
      next(0)
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  for (let count = 0; count < 2; count++) {
    caller.send(request())
    const answer = await caller.answer()
    t.match(answer, {status: 200, body: 'abcde', framing: 'chunks'})
    t.equal(answer?.headers['x-t'], undefined)
  }
})

onBothPaths('a caller with Expect gets 100 Continue, and then the response', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const text = request({lines: 'Expect: 100-continue\r\n', body: 'hello'})
  const caller = await connect(t, port)
  caller.send(text.slice(0, -5))
  t.match(await caller.answer(), {status: 100})
  caller.send(text.slice(-5))
  t.match(await caller.answer(), {status: 200, body: 'hello'}, 'body later')
  caller.send(text)
  t.match(await caller.answer(), {status: 100})
  t.match(await caller.answer(), {status: 200, body: 'hello'}, 'body at once')
})

onBothPaths(
  '`Expect: 100-continue` without a body is answered at once; it is said that the connection ends',
  async t => {
    const {port} = await openTestSidecar(t, {appPort: (await echoApp(t)).port})
    const caller = await connect(t, port)
    caller.send(request({lines: 'Expect: 100-continue\r\n'}))
    t.match(await caller.answer(), {status: 200, headers: {connection: 'close'}})
  }
)

onBothPaths('another expectation is refused', async t => {
  const {port} = await openTestSidecar(t)
  t.match(await ask(t, port, request({lines: 'Expect: miracles\r\n', body: 'x'})), {status: 417, body: ''})
})

onBothPaths('a connection closes if the caller says so, and HTTP/1.0 stays open if it says so', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({lines: 'Connection: close\r\n', body: 'last'}) + request({body: 'hidden'}))
  t.match(await caller.answer(), {status: 200, body: 'last', headers: {connection: 'close'}})
  t.equal(await caller.closed(), '')
  t.equal(seen.length, 1, 'what stood behind was not served')
  const old = 'GET /v1.0/invoke/b/method/x HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n'
  const older = await connect(t, port)
  older.send(old)
  t.match(await older.answer(), {status: 200})
  older.send(old)
  t.match(await older.answer(), {status: 200}, 'the same line again')
})

onBothPaths('no hop-by-hop header is added to a response', async t => {
  const {port: appPort} = await echoApp(t, (_, response) => {
    response.setHeader('content-length', '0')
    response.removeHeader('date')
    response.sendDate = false
    response.end()
  })
  const {port} = await openTestSidecar(t, {appPort})
  const answer = await ask(t, port, request())
  t.strictSame(Object.keys(answer?.headers ?? {}).toSorted(), ['content-length', 'traceparent'])
})

onBothPaths('a response 101 without an upgrade request is passed on unchanged', async t => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nX-A: 1\r\n\r\n')
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, request({method: 'GET'})), {status: 101, headers: {'x-a': '1'}})
})

const as = (method: string, text: string): string => text.replace(/^[A-Z]+/, method).replace('/echo', '/caf\xc3\xa9')

t.test('any word is a method and any byte may be in a target, in whatever framing, and wherever it is cut', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort, hasFastPath: true})
  const texts = [as('FOO', request({body: 'x'})), as('put', chunked(['x'])), as('M.x-1', chunked(['x']))]
  for (const text of texts) t.match(await ask(t, port, text), {status: 200, body: 'x'}, text.slice(0, 8))
  t.strictSame(
    seen.map(({method, url}) => [method, url]),
    [
      ['POST', '/caf%C3%A9'],
      ['PUT', '/caf%C3%A9'],
      ['POST', '/caf%C3%A9']
    ]
  )
  for (const text of texts) {
    for (let cut = 1; cut < text.length; cut += 3) {
      const caller = await connect(t, port)
      caller.send(text.slice(0, cut))
      await new Promise(setImmediate)
      caller.send(text.slice(cut))
      t.equal((await caller.answer())?.body, 'x', `${text.slice(0, 8)} cut at ${cut}`)
      caller.socket.destroy()
    }
  }
})

onBothPaths('readBufferSize limits the size of a head', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const large = request({lines: `X-A: ${'a'.repeat(30_000)}\r\n`, body: 'x'})
  const small = await openTestSidecar(t, {appPort})
  t.match(await ask(t, small.port, large), {status: 431})
  const {port} = await openTestSidecar(t, {appPort, limits: {maxBodyBytes: 0, readBufferBytes: 65_536}})
  t.match(await ask(t, port, large), {status: 200, body: 'x'})
  t.equal(seen[0] && valuesOf(seen[0], 'x-a')[0]?.length, 30_000)
})

onBothPaths('an app that refuses events sends its own response', async t => {
  const {port: appPort} = await echoApp(t, (_, response) =>
    response.writeHead(503, {'content-type': 'text/x'}).end('later')
  )
  const {port} = await openTestSidecar(t, {appPort})
  for (const accept of ['text/event-stream', 'application/json, text/event-stream'])
    t.match(await ask(t, port, request({method: 'GET', lines: `Accept: ${accept}\r\n`})), {
      status: 503,
      body: 'later',
      headers: {'content-type': 'text/x'}
    })
})
