import {once} from 'node:events'
import {createServer, type AddressInfo, type Socket} from 'node:net'
import t, {type Test} from 'tap'
import {callSidecar} from '../../../../src/clients/cli/sidecar-client.ts'

/** The message of a call to a sidecar that does this once a request has come. */
async function messageOf(t: Test, act: (socket: Socket) => void): Promise<string> {
  const server = createServer(socket => socket.once('data', () => act(socket))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  const call = {method: 'GET', url: `http://127.0.0.1:${port}/x`, type: 'text/plain', body: Buffer.alloc(0), socket: ''}
  return callSidecar(call).then(
    ({status}) => status,
    (error: unknown) => (error as Error).message.replaceAll(port.toString(), 'PORT')
  )
}

t.test('a connection that breaks is not one that was refused', async t => {
  t.equal(
    await messageOf(t, socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour')),
    'unexpected EOF: the response (200 OK) has broken off'
  )
  t.equal(await messageOf(t, socket => socket.end()), 'Get "http://127.0.0.1:PORT/x": EOF')
  t.equal(
    await messageOf(t, socket => socket.resetAndDestroy()),
    'Get "http://127.0.0.1:PORT/x": read tcp 127.0.0.1:PORT: read: connection reset by peer'
  )
})
