import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {once} from 'node:events'
import {stat} from 'node:fs/promises'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {encodeField} from '../field-text.ts'
import {FrameClients} from '../frame-clients.ts'
import {FrameServer} from '../frame-server.ts'
import {frameHead, goAwayFrame, HEADERS, resetFrame, SETTINGS, uint32} from '../frames.ts'
import type {FrameClient} from '../frame-client.ts'
import type {FrameStream, StreamHandler} from '../frame-stream.ts'
import {SERVER_GREETING} from '../greeting.ts'

const nothing = (): void => undefined

/** Connections to a callee that serves each in this way. */
async function clientsTo(t: Test, serve: (socket: net.Socket) => void): Promise<FrameClients> {
  const server = net.createServer({allowHalfOpen: true}, serve)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  const clients = new FrameClients({hosts: ['127.0.0.1'], port, isSecure: false, warn: text => t.fail(text)})
  t.teardown(() => {
    clients.cut()
    server.close()
  })
  return clients
}

/** The settings of an app that takes one stream at once. */
const ONE_STREAM = `${frameHead(6, SETTINGS, 0, 0)}\0\u0003${uint32(1)}`

t.test('a call that waits for room does not get that of a connection that has just been lost', async t => {
  const sockets: net.Socket[] = []
  const isSecond = Promise.withResolvers<void>()
  const clients = await clientsTo(t, socket => {
    if (sockets.push(socket.on('error', nothing).resume()) === 2) isSecond.resolve()
    if (sockets.length === 1) socket.write(ONE_STREAM, 'latin1')
  })
  const take = async (lost: () => void): Promise<FrameClient> =>
    new Promise((resolve, reject) => {
      clients.take({
        opened: connection => {
          const handler = {head: nothing, data: nothing, sent: nothing, reset: nothing, lost}
          connection.open(handler, encodeField(':method', 'POST'), false)
          resolve(connection)
        },
        failed: why => reject(new Error(why))
      })
    })
  const {promise: isLost, resolve: lost} = Promise.withResolvers<void>()
  const first = await take(lost)
  const waiting = take(nothing)
  await isSecond.promise
  sockets[0]?.destroy()
  await isLost
  sockets[1]?.write(ONE_STREAM, 'latin1')
  const second = await waiting
  t.not(second, first)
  t.equal(second.isLeaving, false)
})

const SETTINGS_ALONE = frameHead(0, SETTINGS, 0, 0)

/** Connections to a callee that does nothing, with the sockets at both ends, and how a call on one of them was lost. */
async function openIdle(t: Test): Promise<{clients: FrameClients; ours: net.Socket[]; theirs: net.Socket[]}> {
  const [ours, theirs]: [net.Socket[], net.Socket[]] = [[], []]
  const clients = await clientsTo(t, socket => {
    theirs.push(socket.on('error', nothing).resume())
    socket.write(SETTINGS_ALONE, 'latin1')
  })
  const seen = (message: unknown): void => {
    const {socket} = message as {readonly socket: net.Socket}
    ours.push(socket)
  }
  subscribe('net.client.socket', seen)
  t.teardown(() => unsubscribe('net.client.socket', seen))
  return {clients, ours, theirs}
}

const takeOne = async (clients: FrameClients): Promise<FrameClient> =>
  new Promise((opened, reject) => clients.take({opened, failed: why => reject(new Error(why))}))

t.test('a call gets no connection whose other end has just left', async t => {
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const {clients, ours, theirs} = await openIdle(t)
    const first = await takeOne(clients)
    const [socket] = ours
    if (socket === undefined) throw new Error('there is no connection')
    const second = new Promise<FrameClient>((opened, reject) => {
      const take = (): void => clients.take({opened, failed: why => reject(new Error(why))})
      socket.once(leave === 'end' ? 'end' : 'error', take)
    })
    theirs[0]?.[leave]()
    t.not(await second, first, leave)
  }
})

t.test('a call whose head was not written when its connection ended may be sent again, and no other', async t => {
  for (const isWritten of [false, true]) {
    const {clients, ours, theirs} = await openIdle(t)
    const connection = await takeOne(clients)
    const [ourEnd] = ours
    const [theirEnd] = theirs
    if (ourEnd === undefined || theirEnd === undefined) throw new Error('there is no connection')
    const isThere = new Promise<void>(resolve => {
      theirEnd.on('data', bytes => void (bytes.includes('x-call') && resolve()))
    })
    const isUnprocessed = new Promise(resolve => {
      const lost: StreamHandler['lost'] = (_, _why, isUnbegun = false) => resolve(isUnbegun)
      const handler = {head: nothing, data: nothing, sent: nothing, reset: nothing, lost}
      connection.open(handler, encodeField('x-call', 'here'), true)
    })
    if (isWritten) await isThere
    ourEnd.destroy()
    t.equal(await isUnprocessed, !isWritten)
  }
})

t.test('what an app has answered before it ended is read, although a write to it fails first', async t => {
  const {clients, theirs} = await openIdle(t)
  const connection = await takeOne(clients)
  const ends: string[] = []
  const open = (name: string): Promise<void> =>
    new Promise(resolve => {
      const end = (how: string): void => {
        ends.push(`${name}: ${how}`)
        resolve()
      }
      const handler = {
        head: nothing,
        data: nothing,
        sent: nothing,
        reset: () => end('answered'),
        lost: () => end('lost')
      }
      connection.open(handler, encodeField('x-call', name), true)
    })
  const [theirEnd] = theirs
  if (theirEnd === undefined) throw new Error('there is no connection')
  const come = async (name: string): Promise<void> =>
    new Promise(resolve => theirEnd.on('data', bytes => void (bytes.includes(name) && resolve())))
  const first = open('first')
  await come('first')
  // behind an event of the system, what is queued is written before anything is read
  await stat('.')
  theirEnd.write(resetFrame(1, 0), 'latin1')
  theirEnd.resetAndDestroy()
  await Promise.all([first, open('second')])
  t.strictSame(ends, ['first: answered', 'second: lost'])
})

/** More than connections that are opened to one callee. */
const MANY = 70

/** A callee that takes one call on each connection (GOAWAY), and closes none; `answers`: the call is over, too. */
async function openLeaving(t: Test, answers: boolean): Promise<FrameClients> {
  const clients = await clientsTo(t, socket => {
    socket.on('error', nothing).write(SETTINGS_ALONE, 'latin1')
    let text = ''
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
      if (!text.includes(`${String.fromCharCode(HEADERS)}\u0005\0\0\0\u0001`)) return
      text = ''
      socket.write(goAwayFrame(1, 0) + (answers ? resetFrame(1, 0) : ''), 'latin1')
    })
  })
  return clients
}

/** It has been told to take no more calls. */
async function leaving(connection: FrameClient): Promise<void> {
  while (!connection.isLeaving) await new Promise(setImmediate)
}

for (const answers of [true, false])
  t.test(`a callee with one call a connection, closes none${answers ? '' : ' nor call'}: others serve`, async t => {
    const clients = await openLeaving(t, answers)
    const used = new Set<FrameClient>()
    for (let i = 0; i < MANY; i++)
      await new Promise<void>((resolve, reject) => {
        clients.take({
          opened: connection => {
            used.add(connection)
            const over = (): void => (answers ? resolve() : undefined)
            const handler = {head: nothing, data: nothing, sent: nothing, reset: over, lost: nothing}
            connection.open(handler, encodeField(':method', 'POST'), true)
            if (!answers) void leaving(connection).then(resolve)
          },
          failed: why => reject(new Error(why))
        })
      })
    t.equal(used.size, MANY)
  })

t.test('a callee that floods an idle connection with GOAWAY ends it, without a warning', async t => {
  const warnings: string[] = []
  const note = ({message}: Error): void => void warnings.push(message)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const {clients, ours, theirs} = await openIdle(t)
  await takeOne(clients)
  const [socket] = ours
  theirs[0]?.write(goAwayFrame(0, 0).repeat(50), 'latin1')
  await new Promise(resolve => socket?.once('close', resolve))
  t.strictSame(warnings, [])
})

t.test('the settings of an app may come in pieces', async t => {
  for (const cut of [1, 3, 4, 9, 11]) {
    const clients = await clientsTo(t, socket => {
      socket.on('error', nothing).once('data', () => socket.write(ONE_STREAM.slice(cut), 'latin1'))
      socket.write(ONE_STREAM.slice(0, cut), 'latin1')
    })
    const opened = await new Promise<FrameClient | string>(resolve => {
      clients.take({opened: resolve, failed: resolve})
    })
    t.equal(typeof opened, 'object', `${cut} bytes first`)
  }
})

t.test('nothing listens where one address refuses, whatever the next does: there may be no IPv6', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  const hosts = ['127.0.0.1', '255.255.255.255']
  const clients = new FrameClients({hosts, port, isSecure: false, warn: text => t.fail(text)})
  const [why, isRefused] = await new Promise<readonly [string, boolean]>((resolve, reject) => {
    clients.take({opened: () => reject(new Error('nothing listens')), failed: (...failure) => resolve(failure)})
  })
  t.equal(isRefused, true)
  t.match(why, `dial tcp 127.0.0.1:${port}: connect: connection refused`)
})

t.test('two ends that both have more to say than is read still read each other', {timeout: 20_000}, async t => {
  const echo: StreamHandler = {
    head: (stream, block) => {
      stream.skipFields(block)
      stream.writeHead('\u0088', false)
    },
    data: (stream, bytes, isLast) => stream.writeData(bytes, isLast),
    sent: (stream, bytes) => stream.credit(bytes),
    reset: nothing,
    lost: nothing
  }
  const clients = await clientsTo(t, socket => {
    socket.write(SERVER_GREETING, 'latin1')
    const warn = (text: string): void => void t.fail(text)
    t.ok(new FrameServer(socket, warn, () => echo, nothing))
  })
  const connection = await new Promise<FrameClient>((opened, failed) => clients.take({opened, failed}))
  const message = 'x'.repeat(1 << 20)
  const echoed = async (times: number): Promise<number> =>
    new Promise((resolve, reject) => {
      let came = 0
      const handler: StreamHandler = {
        head: (stream, block) => stream.skipFields(block),
        data: (stream: FrameStream, bytes, isLast) => {
          stream.credit(bytes.length)
          came += bytes.length
          if (isLast) resolve(came)
        },
        sent: nothing,
        reset: nothing,
        lost: (_, why) => reject(new Error(why))
      }
      const stream = connection.open(handler, encodeField(':method', 'POST'), false)
      for (let n = 1; n <= times; n++) stream.writeData(message, n === times)
    })
  const all = await Promise.all(Array.from({length: 24}, async () => echoed(2)))
  t.ok(all.every(came => came === 2 * message.length))
})

/** No stream at all. */
const NO_STREAMS = `${frameHead(6, SETTINGS, 0, 0)}\0\u0003${uint32(0)}`
const ACKNOWLEDGED = frameHead(0, SETTINGS, 1, 0)

/** A callee that takes no calls, and `acknowledged` once a connection knows. Gives the connections to it. */
async function openFull(
  t: Test,
  acknowledged: (socket: net.Socket) => void
): Promise<{clients: FrameClients; sockets: readonly net.Socket[]}> {
  const sockets: net.Socket[] = []
  const clients = await clientsTo(t, socket => {
    sockets.push(socket.on('error', nothing))
    socket.write(NO_STREAMS, 'latin1')
    socket.on('data', bytes => void (bytes.toString('latin1').includes(ACKNOWLEDGED) && acknowledged(socket)))
  })
  return {clients, sockets}
}

t.test('a callee that takes no calls is waited for at one connection', async t => {
  const {clients, sockets} = await openFull(t, socket => void socket.write(ONE_STREAM, 'latin1'))
  await takeOne(clients)
  t.equal(sockets.length, 1)
})

t.test('a callee that takes no calls and closes is not connected to for ever', async t => {
  const {clients, sockets} = await openFull(t, socket => socket.end())
  const failed = new Promise(resolve => {
    clients.take({opened: () => t.fail('it takes none'), failed: resolve})
  })
  t.match(await failed, /EOF/)
  t.equal(sockets.length, 3)
})

t.test('who waits for a callee that takes no calls is sent away when that is replaced', {timeout: 20_000}, async t => {
  const knows = Promise.withResolvers<void>()
  const {clients} = await openFull(t, () => knows.resolve())
  const sent = new Promise(resolve => {
    clients.take({opened: () => t.fail('it takes none'), failed: (_why, isRefused) => resolve(isRefused)})
  })
  await knows.promise
  clients.retire()
  t.equal(await sent, true)
})

const bug = (): never => {
  throw new Error('a bug')
}

t.test('an exception of one call is no other one\u2019s', async t => {
  const warnings: string[] = []
  const server = net.createServer(socket => void socket.on('error', nothing).resume().write(SETTINGS_ALONE, 'latin1'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  const target = {hosts: ['127.0.0.1'], port, isSecure: false, warn: (text: string) => void warnings.push(text)}
  const clients = new FrameClients(target)
  const connection = await takeOne(clients)
  const isLost = new Promise<void>(resolve => {
    for (const lost of [bug, () => resolve()])
      connection.open({head: nothing, data: nothing, sent: nothing, reset: nothing, lost}, '', true)
  })
  clients.cut()
  await isLost
  t.match(warnings, [/a bug/])
  await new Promise(resolve => server.close(resolve))
  const others = new FrameClients(target)
  const hasFailed = new Promise<void>(resolve => {
    for (const failed of [bug, () => resolve()]) others.take({opened: nothing, failed})
  })
  await hasFailed
  t.match(warnings, [/a bug/, /a bug/])
})
