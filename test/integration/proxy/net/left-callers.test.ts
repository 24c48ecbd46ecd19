import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {CallHandler} from '../../../../src/proxy/net/exchange-parts.ts'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {PLAIN_RULES} from '../../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {CALLER_CONNECTIONS, type BeginCall} from '../../../rig/caller-connections.ts'
import {aCall} from '../../../rig/made-call.ts'

const nothing = (): void => undefined

const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n'

/** A server of these connections, and the connections that it gets. */
async function listen(t: Test, serve: (socket: net.Socket) => void): Promise<{port: number; sockets: net.Socket[]}> {
  const sockets: net.Socket[] = []
  const server = net.createServer({allowHalfOpen: true}, socket => {
    sockets.push(socket.on('error', nothing))
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {port: (server.address() as AddressInfo).port, sockets}
}

for (const [where, serve] of Object.entries(CALLER_CONNECTIONS))
  t.test(`that the caller has left is seen ${where}, though its request waits`, {timeout: 20_000}, async t => {
    const app = await listen(t, socket => {
      socket.on('data', () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    })
    const pool = new Pool({hosts: ['127.0.0.1'], port: app.port})
    t.teardown(() => pool.cut())
    const call = aCall({caller: 'web', callee: 'shop', method: 'POST'})
    const journals: CallJournal[] = []
    const waits = Promise.withResolvers<string>()
    const over = Promise.withResolvers<void>()
    const begin: BeginCall = connection => {
      const journal = new CallJournal(call, {protocol: 'HTTP/1.1', ...call, lines: ''}, undefined, undefined)
      const isSecond = journals.push(journal) === 2
      const handler: CallHandler = {
        journal,
        rules: PLAIN_RULES,
        broken: undefined,
        copy: undefined,
        headersFor: ({lines}) => lines,
        refused: waits.resolve,
        resent: nothing,
        failed: why => t.fail(why),
        cut: why => t.fail(why),
        crashed: error => t.fail(String(error)),
        over: () => void (isSecond && over.resolve())
      }
      const exchange = connection.begin(handler)
      if (!isSecond) return exchange.send(pool, HEAD)
      // what is sent in a callback of setImmediate goes out in the next one: in between, connections are read
      setImmediate(() => {
        exchange.send(pool, HEAD)
        app.sockets[0]?.destroy()
        pool.retire()
      })
    }
    const {port} = await listen(t, socket => serve(socket, begin))
    const caller = net.connect({port, host: '127.0.0.1', noDelay: true})
    caller.write(`${HEAD}ab`)
    await once(caller, 'data')
    caller.write(`${HEAD}c`)
    await waits.promise
    caller.write('d')
    while (journals[1]?.requestBytes !== 2) await new Promise(setImmediate)
    caller.destroy()
    await over.promise
    t.equal(app.sockets.length, 1)
  })
