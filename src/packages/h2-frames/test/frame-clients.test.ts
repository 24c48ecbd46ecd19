import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {encodeField} from '../field-text.ts'
import {FrameClients} from '../frame-clients.ts'
import {frameHead, SETTINGS, uint32} from '../frames.ts'
import type {FrameClient} from '../frame-client.ts'

const nothing = (): void => undefined

/** One stream at once. */
const ONE_STREAM = `${frameHead(6, SETTINGS, 0, 0)}\0\u0003${uint32(1)}`

t.test('a call that waits for room does not get that of a connection that has just been lost', async t => {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => {
    sockets.push(socket.on('error', nothing).resume())
    if (sockets.length === 1) socket.write(ONE_STREAM, 'latin1')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  const clients = new FrameClients({hosts: ['127.0.0.1'], port, isSecure: false, warn: text => t.fail(text)})
  t.teardown(() => {
    clients.cut()
    server.close()
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
  const connected = once(server, 'connection')
  const waiting = take(nothing)
  await connected
  sockets[0]?.destroy()
  await isLost
  sockets[1]?.write(ONE_STREAM, 'latin1')
  const second = await waiting
  t.not(second, first)
  t.equal(second.isLeaving, false)
})
