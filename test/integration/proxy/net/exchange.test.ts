import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import tls from 'node:tls'
import t, {type Test} from 'tap'
import type {Call, CallObserver} from '../../../../src/model/call.ts'
import type {CallHandler, Downstream} from '../../../../src/proxy/net/exchange-parts.ts'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {secureDial} from '../../../../src/proxy/net/dialer.ts'
import {Exchange} from '../../../../src/proxy/net/exchange.ts'
import {PLAIN_RULES} from '../../../../src/proxy/net/http1/response-head.ts'
import {UpgradeTunnel} from '../../../../src/proxy/net/http1/upgrade-tunnel.ts'
import {Mirror, type Shadow} from '../../../../src/proxy/net/mirror.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {closed} from '../../../rig/closed.ts'
import {freePort} from '../../../rig/free-port.ts'
import {tlsFile} from '../../../rig/tls.ts'
import {aCall, aRequest} from '../../../rig/made-call.ts'

const nothing = (): void => undefined

/** A server, its port, and the connections that it gets. */
const listen = async (t: Test, serve: (socket: net.Socket) => void, host = '127.0.0.1'): Promise<number> => {
  const sockets: net.Socket[] = []
  const server = net.createServer({allowHalfOpen: true}, socket => {
    sockets.push(socket.on('error', nothing))
    serve(socket)
  })
  // a number that is free at ::1 may be another test's at 127.0.0.1
  await once(server.listen(host === '127.0.0.1' ? 0 : await freePort(), host), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const CALL: Call = aCall({caller: 'web', callee: 'shop', method: 'POST'})
const REQUEST = {...aRequest(), method: 'POST', path: '/', lines: '', text: '', size: 0}

const handlerOf = (t: Test, observer?: CallObserver): CallHandler => ({
  journal: new CallJournal(CALL, REQUEST, observer, undefined),
  rules: PLAIN_RULES,
  broken: undefined,
  copy: undefined,
  headersFor: ({lines}) => lines,
  refused: why => t.fail(why),
  resent: nothing,
  failed: why => t.fail(why),
  cut: why => t.fail(why),
  crashed: error => t.fail(String(error)),
  over: nothing
})

/** The side of a caller that takes all that it gets. */
const downstreamOf = (more: Partial<Downstream>): Downstream => ({
  toHead: false,
  whole: nothing,
  head: nothing,
  body: () => true,
  cut: nothing,
  reply: nothing,
  reset: nothing,
  destroy: nothing,
  ...more
})

t.test('a response of our own is recorded with the bytes that it has, not with its characters', async t => {
  const bodies = [{body: 'é'}, {body: '', bytes: Buffer.from([255, 0])}]
  const counts = bodies.map(body => {
    const handler = handlerOf(t)
    const downstream = {reply: nothing, done: nothing} as unknown as Downstream
    new Exchange(downstream).begin(handler, 'GET', 0).reply({status: 503, type: 'text/plain', lines: '', ...body})
    return handler.journal.responseBytes
  })
  t.same(counts, [2, 2])
})

t.test('the end of a held request waits for a read of its caller only where that was not read', async t => {
  const isLate = (bytes: number): boolean => {
    let wasLate = false
    const upstream = {
      isOpen: true,
      serve: () => exchange.open(true),
      writeAll: () => true,
      writeLate: () => (wasLate = true),
      drop: nothing
    }
    const downstream = {sendBody: () => exchange.sendBody(Buffer.alloc(bytes), true)} as unknown as Downstream
    const handler = handlerOf(t)
    handler.journal.held()
    const exchange = new Exchange(downstream).begin(handler, 'POST', bytes)
    exchange.send({take: () => upstream} as unknown as Pool, 'POST / HTTP/1.1\r\n\r\n')
    return wasLate
  }
  t.same([0, 1, 8192, 8193, 20_000].filter(isLate), [8193, 20_000])
})

for (const when of ['between two attempts', 'while the second connects'])
  t.test(`what comes of a body ${when} is sent once, and recorded`, async t => {
    const bodies: string[] = []
    const port = await listen(t, socket => {
      const at = bodies.push('') - 1
      socket.on('data', (bytes: Buffer) => {
        bodies[at] += bytes.toString()
        if (at === 0) socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno')
        else if (bodies[at]?.endsWith('3') === true) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const pool = new Pool({hosts: ['127.0.0.1'], port})
    let recorded = ''
    const observer = new Proxy({} as CallObserver, {
      get: (_, name) =>
        name === 'bytes' ? (...[, , bytes]: readonly Buffer[]) => (recorded += String(bytes)) : nothing
    })
    const handler = handlerOf(t, observer)
    const over = Promise.withResolvers<void>()
    const downstream = downstreamOf({
      sendBody: () => exchange.sendBody(Buffer.from('1'), false),
      resume: () => exchange.sendBody(Buffer.from('3'), true),
      done: over.resolve
    })
    const exchange = new Exchange(downstream).begin(handler, 'POST', 3)
    const send = (): void => exchange.send(pool, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n')
    exchange.intercept(status => {
      if (status === 200) return exchange.accept()
      exchange.discard()
      if (when === 'between two attempts') exchange.sendBody(Buffer.from('2'), false)
      setImmediate(() => {
        send()
        if (when !== 'between two attempts') exchange.sendBody(Buffer.from('2'), false)
      })
    })
    send()
    await over.promise
    pool.cut()
    t.match(bodies[1], /\r\n\r\n123$/)
    t.equal(recorded, '123')
    t.equal(handler.journal.requestBytes, 3)
  })

for (const host of ['127.0.0.1', '::1'])
  for (const [what, act] of [
    ['is closed', (socket: net.Socket) => void socket.destroy()],
    ['says something', (socket: net.Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhat')]
  ] as const)
    t.test(`a connection to ${host} that ${what} before a request is written gets none: another does`, async t => {
      const sockets: net.Socket[] = []
      const requests: string[] = []
      const serve = (socket: net.Socket): void => {
        sockets.push(socket)
        socket.on('data', (bytes: Buffer) => {
          const text = bytes.toString()
          requests.push(text.replaceAll(/ HTTP.*\r\n\r\n/gs, ' '))
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${text.at(-1) ?? ''}`)
        })
      }
      const port = await listen(t, serve, host)
      const pool = new Pool({hosts: ['127.0.0.1', '::1'], port})
      t.teardown(() => pool.cut())
      const call = async (number: string): Promise<string> =>
        new Promise(resolve => {
          const downstream = downstreamOf({
            sendBody: () => exchange.sendBody(Buffer.from(number), number !== '2'),
            whole: (_head, _lines, body) => resolve(body)
          })
          // the rest of the body comes while another connection is being opened
          const resent = (): void => process.nextTick(() => exchange.sendBody(Buffer.from('2'), true))
          const length = number === '2' ? 2 : 1
          const exchange = new Exchange(downstream).begin({...handlerOf(t), resent}, 'POST', length)
          exchange.send(pool, `POST /${number} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`)
        })
      t.equal(await call('1'), '1')
      // what is sent in a callback of setImmediate goes out in the next one: in between, connections are read
      await new Promise(resolve => setImmediate(resolve))
      const [first] = sockets
      if (first !== undefined) act(first)
      t.equal(await call('2'), '2')
      t.equal(await call('3'), '3')
      t.strictSame(requests, ['POST /1 1', 'POST /2 22', 'POST /3 3'])
      t.equal(sockets.length, 2)
    })

t.test('what was not written to a connection with TLS that is closed goes to another one, too', async t => {
  const sockets: net.Socket[] = []
  const server = tls.createServer({key: tlsFile('server.key'), cert: tlsFile('server.pem')}, socket => {
    sockets.push(socket.on('error', nothing))
    socket.on('data', () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const pool = new Pool({hosts: ['127.0.0.1'], port: (server.address() as AddressInfo).port, dial: secureDial})
  t.teardown(() => {
    pool.cut()
    server.close()
  })
  const call = async (): Promise<string> =>
    new Promise(resolve => {
      const downstream = downstreamOf({
        sendBody: () => exchange.sendBody(Buffer.from('ab'), true),
        whole: (_head, _lines, body) => resolve(body)
      })
      const exchange = new Exchange(downstream).begin({...handlerOf(t), failed: resolve}, 'POST', 2)
      exchange.send(pool, headFor('x'))
    })
  t.equal(await call(), 'ok')
  // what is sent in a callback of setImmediate goes out in the next one: in between, connections are read
  await new Promise(resolve => setImmediate(resolve))
  sockets[0]?.destroy()
  t.equal(await call(), 'ok')
  t.equal(sockets.length, 2)
})

const headFor = (host: string): string => `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\n`

for (const isRetired of [false, true])
  t.test(`what an ended process has not got waits for the next${isRetired ? ', known or not' : ''}`, async t => {
    const sockets: net.Socket[] = []
    const serve = (socket: net.Socket): void => {
      sockets.push(socket)
      socket.on('data', (bytes: Buffer) => {
        const [head = '', body = ''] = bytes.toString().split('\r\n\r\n')
        const answer = `${/Host: (\w+)/.exec(head)?.[1]} ${body}`
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`)
      })
    }
    const server = net.createServer(serve)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const old = new Pool({hosts: ['127.0.0.1'], port: (server.address() as AddressInfo).port})
    const next = new Pool({hosts: ['127.0.0.1'], port: await listen(t, serve)})
    t.teardown(() => next.cut())
    const call = async (letters: string, isOnce: boolean): Promise<string> =>
      new Promise(resolve => {
        const downstream = downstreamOf({
          sendBody: () => exchange.sendBody(Buffer.from(isOnce ? letters : letters.slice(0, 1)), isOnce),
          whole: (_head, _lines, body) => resolve(body)
        })
        const refused = (): void => {
          exchange.sendBody(Buffer.from(letters.slice(1)), true)
          exchange.send(next, headFor('next'))
        }
        const failed = (why: string): void => resolve(why)
        const exchange = new Exchange(downstream).begin({...handlerOf(t), refused, failed}, 'POST', 2)
        exchange.send(old, headFor('old'))
      })
    t.equal(await call('ab', true), 'old ab')
    await new Promise(resolve => setImmediate(resolve))
    server.close()
    sockets[0]?.destroy()
    const second = call('cd', false)
    if (isRetired) old.retire()
    t.equal(await second, 'next cd')
  })

t.test('a tunnel whose callee has gone does not wait for a caller that stays', async t => {
  const appPort = await listen(t, socket => {
    socket.once('data', () => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nhello'))
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
  const over = Promise.withResolvers<unknown>()
  const port = await listen(t, socket => {
    over.resolve(closed(socket))
    const {exchange} = new UpgradeTunnel(socket, 'GET', Buffer.alloc(0), handlerOf(t))
    exchange.send(pool, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  })
  const caller = net.connect({port, host: '127.0.0.1', allowHalfOpen: true})
  t.teardown(() => {
    caller.destroy()
    pool.cut()
  })
  let text = ''
  caller.on('data', bytes => (text += String(bytes)))
  await once(caller, 'end')
  t.match(text, /hello$/)
  await over.promise
})

t.test('a request that passes as it came is not sent again once an interim response has come', async t => {
  const requests: string[] = []
  const port = await listen(t, socket => {
    socket.on('data', (bytes: Buffer) => {
      requests.push(bytes.toString())
      if (requests.length === 2) socket.end('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  t.teardown(() => pool.cut())
  const called = async (): Promise<string> =>
    new Promise(resolve => {
      const downstream = downstreamOf({
        isVerbatim: true,
        interim: text => interim.push(text.slice(9, 12)),
        done: () => resolve('answered')
      })
      const handler = {...handlerOf(t), failed: (_: string, failure = '') => resolve(failure)}
      new Exchange(downstream).begin(handler, 'GET', 0).send(pool, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    })
  const interim: string[] = []
  t.equal(await called(), 'answered')
  t.equal(await called(), 'malformed')
  t.strictSame(interim, ['103'])
  t.equal(requests.length, 2)
})

t.test('that an address has refused is not why another one has ended its connection', async t => {
  const port = await listen(t, socket => socket.on('data', () => socket.destroy()), '::1')
  const pool = new Pool({hosts: ['127.0.0.1', '::1'], port})
  t.teardown(() => pool.cut())
  const why = await new Promise(resolve => {
    const downstream = {} as Downstream
    const exchange = new Exchange(downstream).begin({...handlerOf(t), failed: resolve}, 'POST', 0)
    exchange.send(pool, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
  })
  t.equal(why, 'EOF')
})

t.test('a copy of which nothing was written to a connection that has ended goes to another one', async t => {
  const sockets: net.Socket[] = []
  const requests: string[] = []
  const port = await listen(t, socket => {
    sockets.push(socket)
    socket.on('data', (bytes: Buffer) => {
      requests.push(bytes.toString().slice(0, 8))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  t.teardown(() => pool.cut())
  const mirror = new Mirror(text => t.fail(text))
  const send = async (path: string): Promise<void> =>
    new Promise(leave => {
      const shadow: Shadow = {name: 'shop 2', callee: 'shop@2', admit: () => ({pool, leave})}
      const copy = mirror.copy({...CALL, path, headFor: () => `POST ${path} HTTP/1.1\r\nHost: x\r\n`}, [shadow])
      copy.whole()
      copy.responded()
    })
  await send('/1')
  // what is sent in a callback of setImmediate goes out in the next one: in between, connections are read
  await new Promise(resolve => setImmediate(resolve))
  sockets[0]?.destroy()
  await send('/2')
  t.strictSame(requests, ['POST /1 ', 'POST /2 '])
  t.equal(sockets.length, 2)
})
