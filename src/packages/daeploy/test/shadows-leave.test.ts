import {EventEmitter, once} from 'node:events'
import http2 from 'node:http2'
import type net from 'node:net'
import t, {type Test} from 'tap'
import {closed} from '../../../../test/rig/closed.ts'
import {Copy} from '../../../proxy/net/copy.ts'
import {connect} from '../../../../test/integration/dapr/sidecar/caller.ts'
import {openTestSidecar, rawApp} from '../../../../test/integration/dapr/sidecar/rig.ts'
import {openManager} from './rig.ts'

/** The bytes that are kept for copies, and the copies that have left. */
class Account {
  kept = 0
  readonly sent: string[] = []
  readonly #news = new EventEmitter()

  readonly copy = (): Copy =>
    new Copy(
      {take: size => this.#add(size), give: size => void this.#add(-size)},
      {
        tooLarge: () => undefined,
        send: (body, sent) => {
          this.sent.push(body.toString('latin1'))
          sent()
          this.#news.emit('news')
        }
      }
    )

  async until(isSo: (account: this) => boolean): Promise<void> {
    while (!isSo(this)) await once(this.#news, 'news')
  }

  #add(size: number): true {
    this.kept += size
    setImmediate(() => this.#news.emit('news'))
    return true
  }
}

/** One request of 1,000 bytes, on its way. */
interface Sender {
  readonly send: (text: string) => void
  /** The last of the body. */
  readonly sendLast: (text: string) => void
  /** Settles with the whole answer's body. */
  readonly answer: () => Promise<string>
  /** Settles with the first of the answer's body. */
  readonly begun: () => Promise<void>
  readonly leave: () => void
}

const HEAD = 'POST /v1.0/invoke/b/method/weigh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n'

const overHttp1 = async (t: Test, port: number): Promise<Sender> => {
  const caller = await connect(t, port)
  caller.send(HEAD)
  return {
    send: text => caller.send(text),
    sendLast: text => caller.send(text),
    answer: async () => (await caller.answer())?.body ?? 'cut',
    begun: async () => caller.until(text => text.includes('\r\n\r\n')),
    leave: () => caller.socket.destroy()
  }
}

const overHttp2 =
  (leave: 'stream' | 'connection') =>
  async (t: Test, port: number): Promise<Sender> => {
    const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
    session.on('error', () => undefined)
    t.teardown(() => session.destroy())
    const stream = session.request({':method': 'POST', ':path': '/v1.0/invoke/b/method/weigh', 'content-length': 1000})
    let body = ''
    stream.on('error', () => undefined).on('data', (piece: Buffer) => (body += piece.toString('latin1')))
    return {
      send: text => stream.write(text),
      sendLast: text => stream.end(text),
      answer: async () => {
        await once(stream, 'end')
        return body
      },
      begun: async () => void (await once(stream, 'data')),
      leave: () => (leave === 'stream' ? stream.close(http2.constants.NGHTTP2_CANCEL) : session.destroy())
    }
  }

const PATHS = [
  ['fast path', true, overHttp1],
  ['node:http', false, overHttp1],
  ['HTTP/2, reset', true, overHttp2('stream')],
  ['HTTP/2, cut', true, overHttp2('connection')]
] as const

/** A sidecar whose callee is a raw socket that has got the first 400 bytes of the body. */
const scene = async (t: Test, fastPath: (typeof PATHS)[number]) => {
  const [, hasFastPath, open] = fastPath
  const account = new Account()
  const {promise: connected, resolve} = Promise.withResolvers<net.Socket>()
  const {port, underWay} = await openTestSidecar(t, {
    appPort: await rawApp(t, resolve),
    hasFastPath,
    copierOf: () => account.copy
  })
  const sender = await open(t, port)
  sender.send('a'.repeat(400))
  const app = await connected
  let body = ''
  app.on('data', bytes => (body += bytes.toString('latin1')))
  const arrived = async (): Promise<void> => {
    while (!body.endsWith('a'.repeat(400))) await once(app, 'data')
  }
  await arrived()
  await account.until(({kept}) => kept === 400)
  return {account, sender, app, underWay}
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'

for (const fastPath of PATHS) {
  const [name] = fastPath
  t.test(`${name}: who leaves in his upload leaves no copy, and nothing is counted`, {timeout: 60_000}, async t => {
    const {account, sender, app, underWay} = await scene(t, fastPath)
    const gone = closed(app)
    sender.leave()
    await gone
    await account.until(({kept}) => kept === 0)
    t.same(account.sent, [])
    t.equal(underWay(), 0)
  })

  t.test(`${name}: who leaves within his upload, answered already, leaves none either`, {timeout: 60_000}, async t => {
    const {account, sender, app, underWay} = await scene(t, fastPath)
    app.write(`${ANSWER}early`)
    t.equal(await sender.answer(), 'early')
    sender.send('b'.repeat(300))
    await account.until(({kept}) => kept === 700)
    t.same(account.sent, [])
    sender.leave()
    await account.until(({kept}) => kept === 0)
    t.same(account.sent, [])
    t.equal(underWay(), 0)
  })

  t.test(`${name}: who is answered early and goes on has his copy`, {timeout: 60_000}, async t => {
    const {account, sender, app} = await scene(t, fastPath)
    app.write(`${ANSWER}early`)
    t.equal(await sender.answer(), 'early')
    sender.sendLast('b'.repeat(600))
    await account.until(({sent}) => sent.length > 0)
    t.same(account.sent, ['a'.repeat(400) + 'b'.repeat(600)])
    await account.until(({kept}) => kept === 0)
    sender.leave()
  })

  t.test(`${name}: who leaves within the answer leaves no copy`, {timeout: 60_000}, async t => {
    const {account, sender, app, underWay} = await scene(t, fastPath)
    sender.sendLast('b'.repeat(600))
    await account.until(({kept}) => kept === 1000)
    app.write(`${ANSWER}ear`)
    await sender.begun()
    const gone = closed(app)
    sender.leave()
    await gone
    await account.until(({kept}) => kept === 0)
    t.same(account.sent, [])
    t.equal(underWay(), 0)
  })
}

t.test('a callee that breaks off takes the copy along, too', {timeout: 60_000}, async t => {
  for (const fastPath of PATHS) {
    const {account, sender, app} = await scene(t, fastPath)
    sender.sendLast('b'.repeat(600))
    await account.until(({kept}) => kept === 1000)
    app.write(`${ANSWER}ear`)
    await sender.begun()
    app.destroy()
    await account.until(({kept}) => kept === 0)
    t.same(account.sent, [], fastPath[0])
  }
})

t.test('calls that get our own response are mirrored, too, on every path', {timeout: 60_000}, async t => {
  for (const [name, hasFastPath, open] of PATHS) {
    const account = new Account()
    const {port} = await openTestSidecar(t, {
      hasFastPath,
      copierOf: () => account.copy,
      admit: () => ({ok: false, status: 500, error: 'it is down'})
    })
    const sender = await open(t, port)
    sender.send('a'.repeat(400))
    sender.sendLast('b'.repeat(600))
    t.match(await sender.answer(), 'it is down', name)
    await account.until(({sent}) => sent.length > 0)
    t.same(account.sent, ['a'.repeat(400) + 'b'.repeat(600)], name)
    await account.until(({kept}) => kept === 0)
  }
})

const MIB = 1024 * 1024

t.test('many aborted large uploads leave space for a copy', {timeout: 60_000}, async t => {
  const seen = {bytes: 0}
  const news = new EventEmitter()
  const main = await rawApp(t, socket =>
    socket.on('data', bytes => {
      seen.bytes += bytes.length
      news.emit('seen')
      if (bytes.includes('/small ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  )
  const shadow = Promise.withResolvers<string>()
  const shadowPort = await rawApp(t, socket => socket.once('data', bytes => shadow.resolve(bytes.toString('latin1'))))
  const {port, warnings, underWay} = await openManager(t, {
    backends: [{segment: 'model', port: main, shadows: [shadowPort]}]
  })
  const piece = Buffer.alloc(MIB)
  // five such bodies are more than is kept for all copies
  for (let i = 0; i < 5; i++) {
    seen.bytes = 0
    const caller = await connect(t, port)
    const length = (61 * MIB).toString()
    caller.send(`POST /services/model/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`)
    for (let sent = 0; sent < 60; sent++) caller.send(piece)
    while (seen.bytes < 60 * MIB) await once(news, 'seen')
    caller.socket.destroy()
    while (underWay() > 0) await new Promise(setImmediate)
  }
  const caller = await connect(t, port)
  caller.send('POST /services/model/small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nsmall')
  t.match(await caller.answer(), {status: 200})
  t.match(await shadow.promise, /^POST \/small HTTP\/1\.1\r\n[^]*small$/)
  t.same(warnings, [])
})
