import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {PLAIN_RULES} from '../../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {PublishedConnection} from '../../../../src/proxy/published/published-connection.ts'
import {readVerbatimHead} from '../../../../src/proxy/published/verbatim-head.ts'
import {aCall, aRequest} from '../../../rig/made-call.ts'

const nothing = (): void => undefined

const listen = async (t: Test, serve: (socket: net.Socket) => void): Promise<number> => {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => {
    sockets.push(socket.on('error', nothing))
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

t.test('behind an unreadable chunk no other request is taken, whatever follows and the app answers', async t => {
  let seen = ''
  const appPort = await listen(t, socket => {
    socket.on('data', (bytes: Buffer) => {
      seen += bytes.toString()
      if (seen.includes('/two')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort})
  t.teardown(() => pool.cut())
  const started: string[] = []
  const open = new Set<PublishedConnection>()
  const fail = (why: unknown): void => void t.fail(String(why))
  const port = await listen(t, socket => {
    const connection = new PublishedConnection(
      {
        read: readVerbatimHead,
        start: ({method, target: path, text, size}, connection) => {
          started.push(path)
          const call = aCall({caller: 'web', callee: 'shop', method, path})
          const journal = new CallJournal(call, {...aRequest(), method, path, lines: ''}, undefined, undefined)
          connection
            .begin({
              journal,
              rules: PLAIN_RULES,
              broken: undefined,
              copy: undefined,
              headersFor: () => '',
              refused: fail,
              resent: nothing,
              failed: fail,
              cut: fail,
              crashed: fail,
              over: nothing
            })
            .send(pool, text.slice(0, size))
        },
        ended: nothing,
        passBytes: () => void t.fail('it is HTTP/1'),
        forget: connection => void open.delete(connection)
      },
      socket
    )
    open.add(connection)
  })
  const caller = net.connect(port, '127.0.0.1')
  let answer = ''
  caller.on('data', (bytes: Buffer) => (answer += bytes.toString()))
  caller.write('POST /one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n')
  while (!seen.endsWith('0\r\n\r\n')) await new Promise(resolve => setImmediate(resolve))
  caller.write('\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(caller, 'end')
  t.match(answer, /ok$/)
  t.strictSame(started, ['/one'])
  t.equal(open.size, 0)
})
