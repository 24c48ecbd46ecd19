import {once} from 'node:events'
import net from 'node:net'
import type {Test} from 'tap'
import {connect, request} from './caller.ts'
import {onBothPaths, onRequest, openTestSidecar, rawApp, type TestSidecar} from './rig.ts'

/** A sidecar to an app that answers `/good` well, and any other path by this text, and what then follows. */
const sidecarTo = async (t: Test, text: string, then: (socket: net.Socket) => void): Promise<TestSidecar> => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, head => {
      if (head.includes(' /good ')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
      socket.write(text, 'latin1', () => {
        then(socket)
      })
    })
  })
  return openTestSidecar(t, {appPort})
}

const hangUp = (socket: net.Socket): void => {
  socket.end()
}
const reset = (socket: net.Socket): void => {
  // What was written is to arrive before the reset.
  setTimeout(() => socket.resetAndDestroy(), 20)
}
const stay = (): void => undefined

const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nfour'
const CHUNK = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc'
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\n\r\nabc'

const CUTS: readonly (readonly [string, string, (socket: net.Socket) => void])[] = [
  ['hangs up before its length', LENGTH, hangUp],
  ['resets before its length', LENGTH, reset],
  ['hangs up within a chunk', CHUNK, hangUp],
  ['resets within a chunk', CHUNK, reset],
  ['hangs up between chunks', CHUNKS, hangUp],
  ['resets an answer that ends with the line', UNTIL_CLOSE, reset],
  ['writes a bad chunk size', `${CHUNKS}zz\r\n`, stay],
  [
    'writes a chunk that is longer than it says',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n',
    stay
  ]
]

for (const [what, text, then] of CUTS) {
  onBothPaths(`an app that ${what}: the caller is cut, and the log says so`, async t => {
    const {port, warnings, underWay} = await sidecarTo(t, text, then)
    const caller = await connect(t, port)
    caller.send(request())
    t.equal(await caller.answer(), undefined, 'no answer looks whole')
    await caller.closed()
    t.equal(warnings.length, 1)
    t.match(warnings[0], /^b closed the connection within its response to a: /)
    t.equal(underWay(), 0)
  })
}

const FAILURES: readonly (readonly [string, string, (socket: net.Socket) => void, RegExp])[] = [
  ['hangs up without a word', '', hangUp, /: EOF"}$/],
  ['hangs up within its head', 'HTTP/1.1 200 OK\r\nContent-Le', hangUp, /unexpected EOF"}$/],
  ['writes no HTTP', 'hello\r\n\r\n', stay, /malformed HTTP response/],
  ['never ends its head', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(70_000)}`, stay, /malformed/]
]

for (const [what, text, then, expected] of FAILURES) {
  onBothPaths(`an app that ${what}: 500, and the line goes on`, async t => {
    const {port, underWay} = await sidecarTo(t, text, then)
    const caller = await connect(t, port)
    caller.send(request() + request({method: 'GET', path: '/good'}))
    const answer = await caller.answer()
    t.match(answer, {status: 500, headers: {'content-type': 'application/json'}, body: expected})
    t.match(
      answer?.body,
      /^{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: rpc error: code = Internal desc = error invoking app channel: Post \\"http:/
    )
    t.match(await caller.answer(), {status: 200, body: 'good'})
    t.equal(underWay(), 0)
  })
}

onBothPaths('an answer too many reaches nobody', async t => {
  const answers = ['one', 'two'].map(body => `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${body}`)
  const {port} = await sidecarTo(t, answers.join(''), stay)
  const caller = await connect(t, port)
  for (let count = 0; count < 3; count++) {
    caller.send(request())
    t.match(await caller.answer(), {status: 200, body: 'one'})
  }
  caller.send(request({method: 'GET', path: '/good'}))
  t.match(await caller.answer(), {status: 200, body: 'good'})
})

onBothPaths('a failed POST on a used connection is not sent again', async t => {
  let calls = 0
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      calls++
      if (calls === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      else socket.destroy()
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 200})
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 500})
  t.equal(calls, 2)
})

onBothPaths(
  'a GET, HEAD or OPTIONS whose used connection ended before a byte of an answer is sent once more',
  async t => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      let connections = 0
      const appPort = await rawApp(t, socket => {
        const isFirst = ++connections === 1
        let calls = 0
        onRequest(socket, () => {
          if (isFirst && ++calls === 2) socket.destroy()
          else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        })
      })
      const {port} = await openTestSidecar(t, {appPort})
      const caller = await connect(t, port)
      for (let count = 0; count < 2; count++) {
        caller.send(request({method}))
        t.match(await caller.answer({toHead: method === 'HEAD'}), {status: 200}, method)
      }
      t.equal(connections, 2)
    }
  }
)

onBothPaths('what a process may have died of is not sent to the next one', async t => {
  let calls = 0
  const server = net.createServer({noDelay: true}, socket => {
    onRequest(socket, head => {
      calls++
      if (head.includes(' /good ')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      server.close()
      socket.destroy()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = await openTestSidecar(t, {appPort: (server.address() as net.AddressInfo).port})
  const caller = await connect(t, port)
  caller.send(request({method: 'GET', path: '/good'}))
  t.match(await caller.answer(), {status: 200})
  caller.send(request({method: 'GET', path: '/die'}))
  t.match(
    await caller.answer(),
    {status: 500, body: /: EOF"}$/},
    'and not what the queue says of those that were refused'
  )
  t.equal(calls, 2)
})

onBothPaths('nothing is sent again on a fresh connection, with a body, or across a reload', async t => {
  let calls = 0
  let reload: (() => void) | undefined
  const appPort = await rawApp(t, socket => {
    onRequest(socket, head => {
      calls++
      if (head.includes(' /good ')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      if (head.includes(' /reload ')) reload?.()
      socket.destroy()
    })
  })
  const {port, pool} = await openTestSidecar(t, {appPort})
  reload = () => {
    pool.retire()
  }
  const caller = await connect(t, port)
  caller.send(request({method: 'GET', path: '/fresh'}))
  t.match(await caller.answer(), {status: 500}, 'fresh')
  t.equal(calls, 1)
  caller.send(request({method: 'GET', path: '/good'}))
  await caller.answer()
  caller.send(request({method: 'GET', path: '/body', body: 'abc'}))
  t.match(await caller.answer(), {status: 500}, 'with a body')
  t.equal(calls, 3)
  caller.send(request({method: 'GET', path: '/good'}))
  await caller.answer()
  caller.send(request({method: 'GET', path: '/reload'}))
  t.match(await caller.answer(), {status: 500}, 'across a reload')
  t.equal(calls, 5)
})
