import {EventEmitter, once} from 'node:events'
import http from 'node:http'
import net from 'node:net'
import t, {type Test} from 'tap'
import {freePort} from '../../../../test/rig/free-port.ts'
import {ask, connect} from '../../../../test/integration/dapr/sidecar/caller.ts'
import {echoApp, listen, onRequest, rawApp, valuesOf, type Seen} from '../../../../test/integration/dapr/sidecar/rig.ts'
import {openManager} from './rig.ts'

const post = (path: string, body = '{}', lines = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`

const PATHS = [
  ['fast', ''],
  ['slow', 'X-Forwarded-For: 8.8.8.8\r\n']
] as const

/** An app that hands each whole request over. */
const listener = async (t: Test): Promise<{readonly port: number; readonly next: () => Promise<Seen>}> => {
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', piece => (body += piece))
    request.on('end', () => {
      server.emit('seen', {method: request.method, url: request.url, headers: request.rawHeaders, body})
      response.end()
    })
  })
  const waiting: Seen[] = []
  server.on('seen', (seen: Seen) => waiting.push(seen))
  return {
    port: await listen(t, server),
    next: async () => {
      while (waiting.length === 0) await once(server, 'seen')
      return waiting.shift() as Seen
    }
  }
}

t.test('what comes to a name is answered by main and copied to each shadow, whoever reads it', async t => {
  const main = await echoApp(t)
  const shadows = [await listener(t), await listener(t)]
  const {port} = await openManager(t, {
    backends: [
      {segment: 'scales', port: main.port, shadows: shadows.map(({port}) => port)},
      {segment: 'scales_1.0.0', port: main.port}
    ]
  })
  for (const [fastPath, line] of PATHS) {
    t.match(await ask(t, port, post('/services/scales_1.0.0/weigh', '{"to": "main"}', line)), {status: 200}, fastPath)
    const answer = await ask(t, port, post('/services/scales/weigh?a=1', '{"to": "all"}', `${line}X-Note: kept\r\n`))
    t.match(answer, {status: 200, body: '{"to": "all"}'}, fastPath)
    for (const shadow of shadows) {
      const seen = await shadow.next()
      t.match(
        seen,
        {method: 'POST', url: '/weigh?a=1', body: '{"to": "all"}'},
        `${fastPath}: the first copy is of the second call`
      )
      t.same(valuesOf(seen, 'x-note'), ['kept'])
      t.same(valuesOf(seen, 'x-forwarded-prefix'), ['/services/scales'])
      t.same(valuesOf(seen, 'host'), ['localhost'])
    }
  }
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  await ask(t, port, `PUT /services/scales/x HTTP/1.1\r\nHost: localhost\r\n${chunked}`)
  t.match(await shadows[0]?.next(), {method: 'PUT', body: 'abcde'})
  await ask(t, port, 'GET /services/scales/y HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(await shadows[1]?.next(), {method: 'PUT'})
  const get = await shadows[1]?.next()
  t.match(get, {method: 'GET', url: '/y', body: ''})
  t.same(get && valuesOf(get, 'content-length'), [])
})

t.test('a body of many pieces is copied whole', async t => {
  const main = await echoApp(t)
  const shadow = await listener(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: main.port, shadows: [shadow.port]}]})
  for (const [fastPath, line] of PATHS) {
    const body = 'abcdefgh'.repeat(100_000)
    const caller = await connect(t, port)
    caller.send(`POST /services/scales/big HTTP/1.1\r\nHost: localhost\r\n${line}Content-Length: 800000\r\n\r\n`)
    for (let at = 0; at < body.length; at += 100_000) caller.send(body.slice(at, at + 100_000))
    t.equal((await caller.answer())?.body, body, fastPath)
    t.equal((await shadow.next()).body, body, fastPath)
  }
})

t.test('a copy is sent when the caller has its response, not before', async t => {
  const held = Promise.withResolvers<() => void>()
  const main = await echoApp(t, (_, response) => held.resolve(() => response.end('at last')))
  const shadow = await listener(t)
  const {port} = await openManager(t, {
    backends: [
      {segment: 'slow', port: main.port, shadows: [shadow.port]},
      {segment: 'quick', port: (await echoApp(t)).port, shadows: [shadow.port]}
    ]
  })
  const slow = ask(t, port, post('/services/slow/weigh', 'first asked'))
  const answer = await held.promise
  await ask(t, port, post('/services/quick/weigh', 'first answered'))
  t.match(await shadow.next(), {body: 'first answered'})
  answer()
  t.match(await slow, {status: 200, body: 'at last'})
  t.match(await shadow.next(), {body: 'first asked'})
})

t.test('a shadow that answers with a status that is none has its copies, and no word is said of it', async t => {
  const main = await echoApp(t)
  const calls = new EventEmitter()
  const shadow = await rawApp(t, socket =>
    onRequest(socket, () => socket.write('HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n', () => calls.emit('call')))
  )
  const {port, warnings} = await openManager(t, {backends: [{segment: 'scales', port: main.port, shadows: [shadow]}]})
  for (let i = 0; i < 3; i++) {
    const copied = once(calls, 'call')
    t.match(await ask(t, port, post('/services/scales/weigh', `${i}`)), {status: 200, body: `${i}`})
    await copied
  }
  t.strictSame(warnings, [])
})

t.test('a shadow that never answers, fails, or breaks off is not felt', async t => {
  const main = await echoApp(t)
  const mute = net.createServer()
  const mutePort = await listen(t, mute)
  const broken = await rawApp(t, socket => onRequest(socket, () => socket.destroy()))
  const failing = await rawApp(t, socket =>
    onRequest(socket, () => socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'))
  )
  const {port} = await openManager(t, {
    backends: [{segment: 'scales', port: main.port, shadows: [mutePort, broken, failing]}]
  })
  for (let i = 0; i < 20; i++)
    t.match(await ask(t, port, post('/services/scales/weigh', `${i}`)), {status: 200, body: `${i}`})
  t.equal(main.seen.length, 20, 'main is asked once for each call')
})

t.test('a copy is sent even if the main version fails or is down; its body is read for that', async t => {
  const shadow = await listener(t)
  const failing = await rawApp(t, socket =>
    onRequest(socket, () => socket.end('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'))
  )
  const {port} = await openManager(t, {
    backends: [
      {segment: 'failing', port: failing, shadows: [shadow.port]},
      {segment: 'down', port: 1, shadows: [shadow.port], admit: () => ({ok: false, status: 500, error: 'it is down'})}
    ]
  })
  for (const [fastPath, line] of PATHS) {
    t.match(await ask(t, port, post('/services/failing/weigh', 'one', line)), {status: 500}, fastPath)
    t.match(await shadow.next(), {url: '/weigh', body: 'one'}, fastPath)
    t.match(await ask(t, port, post('/services/down/weigh', 'two', line)), {status: 502}, fastPath)
    t.match(await shadow.next(), {url: '/weigh', body: 'two'}, fastPath)
  }
})

t.test('the call of a caller that disconnected is not mirrored', async t => {
  let [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const main = await rawApp(t, socket => {
    onRequest(socket, () => asked.resolve())
    socket.on('close', () => left.resolve())
  })
  const shadow = await listener(t)
  const {port, underWay} = await openManager(t, {
    backends: [
      {segment: 'slow', port: main, shadows: [shadow.port]},
      {segment: 'quick', port: (await echoApp(t)).port, shadows: [shadow.port]}
    ]
  })
  for (const [fastPath, line] of PATHS) {
    ;[asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const caller = await connect(t, port)
    caller.send(post('/services/slow/weigh', 'left', line))
    await asked.promise
    caller.socket.destroy()
    await left.promise
    await ask(t, port, post('/services/quick/weigh', 'stayed'))
    t.match(await shadow.next(), {body: 'stayed'}, fastPath)
  }
  while (underWay() > 0) await new Promise(setImmediate)
})

t.test('a shadow that is not reachable is reported once, until a copy succeeds', async t => {
  const main = await echoApp(t)
  const gone = await freePort()
  const shadow = await listener(t)
  const {port, warnings} = await openManager(t, {
    backends: [{segment: 'scales', port: main.port, shadows: [gone, shadow.port]}]
  })
  for (let i = 0; i < 3; i++) {
    await ask(t, port, post('/services/scales/weigh'))
    await shadow.next()
  }
  t.match(warnings, [new RegExp(`^copies of calls do not reach shadow ${gone}: dial tcp`)])
  t.equal(warnings.length, 1)
})

t.test('a body that is too large goes to main alone, and a line says so', {timeout: 60_000}, async t => {
  const main = await rawApp(t, socket => {
    let bytes = 0
    socket.on('data', piece => {
      bytes += piece.length
      if (bytes >= 65 * 1024 * 1024) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const shadow = await listener(t)
  const {port, warnings} = await openManager(t, {
    backends: [
      {segment: 'model', port: main, shadows: [shadow.port]},
      {segment: 'quick', port: (await echoApp(t)).port, shadows: [shadow.port]}
    ]
  })
  const caller = await connect(t, port)
  const piece = Buffer.alloc(1024 * 1024)
  caller.send(`POST /services/model/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${65 * piece.length}\r\n\r\n`)
  for (let i = 0; i < 65; i++) caller.send(piece)
  t.match(await caller.answer(), {status: 200})
  t.match(warnings, [/^POST \/load was not mirrored to shadow \d+: its body is too large$/])
  await ask(t, port, post('/services/quick/weigh', 'small'))
  t.match(await shadow.next(), {body: 'small'})
})
