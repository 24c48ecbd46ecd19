import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {abortConnection} from '../../../../../src/proxy/net/http1/abort-connection.ts'

/** More than the kernel takes of who is not read. */
const MUCH = Buffer.alloc(32 << 20)

/** How the other side sees that a connection ends, by what was done with it before. */
const CASES: readonly (readonly [when: string, begin: (socket: net.Socket) => unknown, seen: RegExp])[] = [
  ['at once', () => undefined, /ECONNRESET/],
  ['while much waits for a reader', socket => socket.end(MUCH), /ECONNRESET/],
  ['while its end is being sent', socket => socket.end('all'), /end/],
  ['when it has ended', async socket => once(socket.end('all'), 'finish'), /end/]
]

for (const [when, begin, seen] of CASES)
  t.test(`a connection that is aborted ${when} is closed`, {timeout: 20_000}, async t => {
    const server = net.createServer({allowHalfOpen: true})
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const peer = net.connect({port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true})
    const [socket] = (await once(server, 'connection')) as [net.Socket]
    t.teardown(() => {
      peer.destroy()
      server.close()
    })
    const closed = new Promise<void>(resolve => {
      socket.on('error', error => t.fail(error.message)).on('close', () => resolve())
    })
    const left = new Promise<string>(resolve => {
      peer.on('error', ({message}) => resolve(message)).on('end', () => resolve('end'))
    })
    await begin(socket)
    abortConnection(socket)
    await closed
    peer.resume()
    t.match(await left, seen)
  })
