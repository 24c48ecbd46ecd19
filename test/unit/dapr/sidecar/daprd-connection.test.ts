import {mkdtempSync, rmSync} from 'node:fs'
import http2, {type ServerHttp2Stream} from 'node:http2'
import {createServer, type Server} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {DaprdConnection} from '../../../../src/dapr/sidecar/daprd/daprd-connection.ts'

/** What serves the calls of daprd; undefined: nothing does. */
const SERVERS: Readonly<Record<string, (() => Server) | undefined>> = {
  'a daprd that has removed its socket': undefined,
  'one that takes no more connections': () => createServer(socket => socket.destroy()),
  'one that dies during a call': () =>
    http2.createServer().on('stream', ({session}: ServerHttp2Stream) => session?.destroy()),
  'one that dies while it answers': () =>
    http2.createServer().on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({'content-type': 'application/grpc'})
      stream.session?.destroy()
    })
}

const ANSWER = {':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'no server'}

async function errorOf(server?: Server): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'daprd-')) // a longer path is none of a socket
  const listening = Promise.withResolvers<void>()
  if (server === undefined) listening.resolve()
  else server.listen(join(folder, 'dapr-a-grpc.socket'), listening.resolve)
  await listening.promise
  const connection = new DaprdConnection(folder, 'a', () => undefined)
  const error: unknown = await connection.call('GetSecret', new Uint8Array(0)).catch((why: unknown) => why)
  connection.close()
  server?.close()
  rmSync(folder, {recursive: true})
  return error
}

t.test('an error is one of daprd only if daprd has answered', async t => {
  for (const [what, serve] of Object.entries(SERVERS)) t.match(await errorOf(serve?.()), {name: /^Error$/}, what)
  const server = http2
    .createServer()
    .on('stream', (stream: ServerHttp2Stream) => stream.respond(ANSWER, {endStream: true}))
  t.match(await errorOf(server), {name: 'DaprdError', code: 14, message: 'no server'})
})
