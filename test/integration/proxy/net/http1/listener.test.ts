import {execFileSync} from 'node:child_process'
import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import {text as textOf} from 'node:stream/consumers'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {closed} from '../../../../rig/closed.ts'
import {plainRules} from '../../../../../src/dapr/sidecar/http/plain-call.ts'
import {PLAIN_RULES} from '../../../../../src/proxy/net/http1/response-head.ts'
import {Listener, type ListenerOptions} from '../../../../../src/proxy/net/http1/listener.ts'
import {release} from '../../../../../src/proxy/net/claimed-server.ts'
import {aCall} from '../../../../rig/made-call.ts'

interface Open {
  readonly front: Listener
  readonly server: net.Server
  readonly port: number
}

/** A listener that responds to everything with `ok`, and allows 300 ms for a head. */
const openFront = async (t: Test, more: Partial<ListenerOptions> = {}): Promise<Open> => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const front = new Listener({
    servers: [server],
    maxHeadBytes: 8192,
    headMs: 300,
    warn: text => t.fail(text),
    serve: (_, response) => response.end('ok'),
    upgrade: (_, socket) => socket.destroy(),
    ...more
  })
  t.teardown(() => {
    front.destroy()
  })
  return {front, server, port}
}

interface PendingCall {
  readonly socket: net.Socket
  readonly received: () => string
  /** Settles when what came matches. */
  readonly until: (pattern: RegExp) => Promise<void>
  readonly closed: Promise<unknown>
}

const pendingCall = async (t: Test, port: number): Promise<PendingCall> => {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true})
  let text = ''
  socket.on('data', bytes => (text += bytes.toString('latin1')))
  t.teardown(() => {
    socket.destroy()
  })
  const gone = closed(socket)
  await once(socket, 'connect')
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) await once(socket, 'data')
  }
  return {socket, received: () => text, until, closed: gone}
}

t.test('a silent connection is closed without a response', async t => {
  const {port} = await openFront(t)
  const {closed, received} = await pendingCall(t, port)
  await closed
  t.equal(received(), '')
})

t.test('an incomplete head times out, even if it arrives byte by byte', async t => {
  const {port} = await openFront(t)
  const still = await pendingCall(t, port)
  still.socket.write('GET / HTTP/1.1\r\nHost: loc')
  await still.closed
  t.match(still.received(), /^HTTP\/1\.1 408 /)
  const slow = await pendingCall(t, port)
  slow.socket.write('GET / HTTP/1.1\r\nX-A: ')
  const drip = setInterval(() => slow.socket.write('a'), 20)
  await slow.closed
  clearInterval(drip)
  t.match(slow.received(), /^HTTP\/1\.1 408 /)
})

t.test('a connection stays open between two calls', async t => {
  const {port} = await openFront(t)
  const {socket, until} = await pendingCall(t, port)
  const text = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
  socket.write(text)
  await until(/ok$/)
  // Only time can show that nothing happens.
  await pause(800)
  socket.write(text)
  await until(/HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 /)
})

t.test('each request of a connection may have any method, and any byte in its target', async t => {
  const seen: string[] = []
  const {port} = await openFront(t, {
    serve: ({method = '', url = ''}, response) => {
      seen.push(`${method} ${url}`)
      response.end('ok')
    }
  })
  const {socket, until} = await pendingCall(t, port)
  const lines = ['GET /caf\xe9?q=\xff', 'FOO /a', 'get /?q=\xe9', 'GET /?q=%E9', 'GET /?q=\xe9']
  const texts = lines.map(line => `${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  socket.write(texts[0] ?? '', 'latin1')
  await until(/ok$/)
  socket.write(texts.slice(1).join(''), 'latin1')
  await until(/(?:ok[^]*){5}$/)
  t.strictSame(seen, ['GET /caf%E9?q=\xff', 'POST /a', 'GET /?q=\xe9', 'GET /?q=%E9', 'GET /?q=\xe9'])
})

t.test('a first line on a used connection may come byte by byte, and has as much time as a head', async t => {
  const seen: string[] = []
  const {port} = await openFront(t, {
    serve: ({method = '', url = ''}, response) => {
      seen.push(`${method} ${url}`)
      response.end('ok')
    }
  })
  const {socket, until, received, closed} = await pendingCall(t, port)
  for (const line of ['GET /a', 'FOO /\xe9?q=\xff']) {
    for (const byte of `${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`) {
      socket.write(byte, 'latin1')
      await new Promise(setImmediate)
    }
    await until(/ok$/)
  }
  await until(/ok[^]*ok$/)
  t.strictSame(seen, ['GET /a', 'POST /%E9?q=\xff'])
  socket.write('GET /b')
  await closed
  t.match(received(), /HTTP\/1\.1 408 /)
})

t.test('closing ends idle connections and the listener, and then settles', async t => {
  const {front, server, port} = await openFront(t)
  const {socket, until, closed} = await pendingCall(t, port)
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(/ok$/)
  const isTold = once(server, 'close')
  await front.close()
  await closed
  await isTold
  t.equal(server.listening, false)
  const late = net.connect({port, host: '127.0.0.1'})
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNREFUSED')
})

t.test('a connection that begins HTTP/2 and does not go on is closed', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const front = new Listener({
    servers: [server],
    maxHeadBytes: 8192,
    headMs: 300,
    serve: (_, response) => response.end('ok'),
    upgrade: (_, socket) => socket.destroy(),
    serveStream: ({stream}) => stream.respond({status: 200, pairs: [], isLast: true}),
    fast: {rules: plainRules, route: () => false}
  })
  t.teardown(() => front.destroy())
  const {port} = server.address() as AddressInfo
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  for (const text of ['PRI * HT', 'PRI * HTTP/2.0\r\n', preface.slice(0, 20), preface, `${preface}\0\0\0`]) {
    const {socket, closed: gone} = await pendingCall(t, port)
    socket.write(text)
    await gone
  }
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await once(session, 'remoteSettings')
  // only time can show that nothing happens
  await pause(800)
  t.equal(session.destroyed, false, 'one that goes on stays')
  session.destroy()
})

const nothing = (): void => undefined

t.test('the fast path waits for a first line as long as for a head, on a new connection and on a used one', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const call = aCall({caller: 'a', callee: 'b'})
  const handler = {
    journal: new CallJournal(call, {protocol: 'HTTP/1.1', ...call, lines: ''}, undefined, undefined),
    broken: undefined,
    copy: undefined,
    rules: PLAIN_RULES,
    headersFor: () => '',
    refused: nothing,
    resent: nothing,
    failed: nothing,
    cut: nothing,
    crashed: nothing,
    over: nothing
  }
  const front = new Listener({
    servers: [server],
    maxHeadBytes: 8192,
    headMs: 300,
    serve: (_, response) => response.end('slow path'),
    upgrade: (_, socket) => socket.destroy(),
    fast: {
      rules: plainRules,
      route: (_, line) => {
        line.begin(handler).reply({status: 200, type: 'text/plain', body: 'fast path', lines: ''})
        return true
      }
    }
  })
  t.teardown(() => front.destroy())
  const fresh = await pendingCall(t, port)
  fresh.socket.write('GET /half')
  await fresh.closed
  t.equal(fresh.received(), '')
  const used = await pendingCall(t, port)
  used.socket.write('GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await used.until(/fast path$/)
  await pause(1500)
  t.equal(used.socket.destroyed, false, 'an idle line stays')
  used.socket.write('GE')
  await used.closed
})

/** What one read of tiny chunks leaves at least. */
const ONE_READ = 16_384 / 6

t.test('in one turn, not all connections with tiny chunks are read', async t => {
  let turn = 0
  const reads = new Map<number, number>()
  const tick = (): void => {
    turn++
    ticking = setImmediate(tick)
  }
  let ticking = setImmediate(tick)
  t.teardown(() => clearImmediate(ticking))
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const front = new Listener({
    servers: [server],
    maxHeadBytes: 8192,
    warn: text => t.fail(text),
    fast: {rules: plainRules, route: () => false},
    serve: (request, response) => {
      let size = 0
      request
        .on('data', ({length}: Buffer) => {
          // nobody knows yet what the first one brings
          if (size > ONE_READ && length > ONE_READ) reads.set(turn, (reads.get(turn) ?? 0) + 1)
          size += length
        })
        .on('end', () => response.end(`size ${size}`))
    },
    upgrade: (_, socket) => socket.destroy()
  })
  t.teardown(() => front.destroy())
  const {port} = server.address() as AddressInfo
  const calls = await Promise.all(Array.from({length: 4}, async () => pendingCall(t, port)))
  const body = '1\r\nx\r\n'.repeat(200_000)
  for (const {socket} of calls)
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`)
  await Promise.all(calls.map(async call => call.until(/size 200000$/)))
  t.ok(reads.size > 4, `${reads.size} turns`)
  // one that has its turn, and one whose read was short
  t.ok(Math.max(...reads.values()) <= 2, `at most ${Math.max(...reads.values())}`)
})

t.test('a request that has begun to come when its listener closes is served', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = Promise.withResolvers<void>()
  const front = new Listener({
    servers: [server],
    maxHeadBytes: 8192,
    warn: text => t.fail(text),
    serve: (request, response) => request.resume().on('end', () => response.end('ok')),
    upgrade: (_, socket) => socket.destroy(),
    fast: {
      rules: plainRules,
      needsBody: () => {
        asked.resolve()
        return true
      },
      route: () => false
    }
  })
  t.teardown(() => front.destroy())
  const {socket, until, closed} = await pendingCall(t, (server.address() as AddressInfo).port)
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab')
  await asked.promise
  const over = front.close()
  socket.write('cd')
  await until(/Connection: close[^]*ok$/)
  await closed
  await over
})

t.test('a connection whose first request is on its way at a hand-over is served, a silent one closed', async t => {
  const {front, server, port} = await openFront(t)
  const [asking, silent] = await Promise.all([pendingCall(t, port), pendingCall(t, port)])
  const used = await pendingCall(t, port)
  used.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await used.until(/ok$/) // the others were accepted before it
  for (const claim of front.handOver()) t.teardown(() => release(claim))
  t.equal(server.listening, false)
  const over = front.close()
  await used.closed
  asking.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await asking.until(/Connection: close[^]*ok$/)
  await Promise.all([asking.closed, silent.closed, over])
  t.equal(silent.received(), '')
})

t.test('a connection of HTTP/2 that has sent nothing when its listener hands over is served, then ended', async t => {
  const {front, port} = await openFront(t, {
    serveStream: ({stream}) => {
      stream.respond({status: 200, pairs: [], isLast: false})
      stream.end('ok')
    }
  })
  const asking = await pendingCall(t, port)
  const used = await pendingCall(t, port)
  used.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await used.until(/ok$/) // the other one was accepted before it
  for (const claim of front.handOver()) t.teardown(() => release(claim))
  const over = front.close()
  asking.socket.removeAllListeners('data')
  const client = http2.connect('http://localhost', {createConnection: () => asking.socket})
  t.equal(await textOf(client.request()), 'ok')
  await Promise.all([once(client, 'close'), over])
})

t.test('where no file can be opened, a request for h2c loses its connection, and nothing else ends', async t => {
  const code = `
    import {once} from 'node:events'
    import {openSync} from 'node:fs'
    import net from 'node:net'
    const {Listener} = await import(${JSON.stringify(new URL('../../../../../src/proxy/net/http1/listener.ts', import.meta.url))})
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = server.address()
    const warn = text => console.log(text)
    const front = new Listener({servers: [server], maxHeadBytes: 8192, warn, serve: (_, response) => response.end(), upgrade: () => {}, serveStream: () => {}})
    const socket = net.connect(port, '127.0.0.1')
    const upgrade = 'Connection: Upgrade, HTTP2-Settings\\r\\nUpgrade: h2c\\r\\nHTTP2-Settings: AAMAAABk\\r\\n'
    socket.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    await once(socket, 'data')
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    socket.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\n' + upgrade + '\\r\\n')
    await once(socket, 'close')
    front.destroy()`
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', code]
  t.match(execFileSync('sh', limited, {encoding: 'utf8', timeout: 20_000}), /its connection was closed: /)
})

t.test('what follows a request that is refused is not parsed', async t => {
  const {port} = await openFront(t)
  let parsed = 0
  const count = (): void => void parsed++
  subscribe('http.server.request.start', count)
  t.teardown(() => unsubscribe('http.server.request.start', count))
  const {socket, received, closed} = await pendingCall(t, port)
  socket.end('GET / HTTP/1.1\r\n\r\n'.repeat(100_000))
  await closed
  t.match(received(), /^HTTP\/1\.1 400 Bad Request\r\n(?:.*\r\n)+\r\n400 Bad Request$/)
  t.ok(parsed < 50, `${parsed} were`)
})
