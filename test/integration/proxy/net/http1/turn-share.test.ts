import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import net, {type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {homeOf, register} from '../../../../../src/control/server.ts'
import {listenForPages} from '../../../../../src/observe/dashboard/listener.ts'
import {PER_TURN} from '../../../../../src/platform/own-turn.ts'
import {Listener} from '../../../../../src/proxy/net/http1/listener.ts'

const COUNT = 1600

const TOKEN = 'full'

/** Opens a server that has this answer each request; resolves with where it listens. */
type Open = (
  t: Test,
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>
) => Promise<{readonly port: number; readonly host: string} | {readonly path: string}>

const servers: Readonly<Record<string, Open>> = {
  'a port of HTTP/1': async (t, serve) => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = server.address() as AddressInfo
    const listener = new Listener({
      servers: [server],
      maxHeadBytes: 8192,
      serve: (request, response) => void serve(request, response),
      upgrade: (_, socket) => socket.destroy()
    })
    t.teardown(() => listener.destroy())
    return {port, host: '127.0.0.1'}
  },
  'the port of the page': async (t, serve) => {
    const tokens = {full: TOKEN, readOnly: 'read-only'}
    const listener = await listenForPages(t.name, 0, tokens, serve)
    t.teardown(() => listener.close())
    return {port: listener.port, host: '127.0.0.1'}
  },
  'the control socket': async (t, serve) => {
    const folder = await mkdtemp(join(tmpdir(), 'pillion-'))
    const marker = '0123456789abcdef'
    const registration = await register(folder, {marker, graceMs: 5000}, serve)
    t.teardown(async () => {
      await registration.withdraw()
      await rm(folder, {recursive: true})
    })
    return {path: join(homeOf(folder, marker), 'socket')}
  }
}

for (const [name, open] of Object.entries(servers)) {
  t.test(`${name}: who sends thousands of requests at once has a share of each turn of the loop`, async t => {
    const counts = {served: 0, most: 0, inThisTurn: 0}
    const at = await open(t, async (_, response) => {
      counts.served++
      counts.most = Math.max(counts.most, ++counts.inThisTurn)
      await Promise.resolve()
      response.end('ok')
    })
    const socket = net
      .connect(at)
      .on('error', () => undefined)
      .resume()
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    const host = 'port' in at ? `localhost:${at.port}` : 'localhost'
    socket.write(`GET /api/v1/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`.repeat(COUNT))
    while (counts.served < COUNT && !socket.destroyed) {
      await turn()
      counts.inThisTurn = 0
    }
    t.equal(counts.served, COUNT)
    // the turns of the loop end between those that are counted here
    t.ok(counts.most <= 2 * PER_TURN, `${counts.most} in one turn`)
  })
}
