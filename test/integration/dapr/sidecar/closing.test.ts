import type net from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'
import t from 'tap'
import {calls, endlessServer, halves, streams} from '../../../rig/endless.ts'
import {connect, request} from './caller.ts'
import {onBothPaths, onRequest, openTestSidecar, rawApp} from './rig.ts'

for (const [kind, open] of Object.entries({...halves, ...calls, ...streams})) {
  onBothPaths(`${kind}: it is closed when the grace is over, or there is none`, async t => {
    for (const hasGrace of [true, false]) {
      const server = await endlessServer()
      t.teardown(() => server.close())
      const {port, sidecar, underWay} = await openTestSidecar(t, {appPort: server.port})
      const {closed} = await open({port, prefix: '/v1.0/invoke/b/method', server})
      const cut = new AbortController()
      if (!hasGrace) cut.abort()
      const closing = sidecar.close(cut.signal)
      await turn()
      cut.abort()
      await closing
      await closed
      t.equal(underWay(), 0, 'the call has left')
    }
  })
}

t.test('a call under way ends before the sidecar is closed, and nobody is cut', async t => {
  const server = await endlessServer()
  t.teardown(() => server.close())
  const {port, sidecar} = await openTestSidecar(t, {appPort: server.port})
  const [poll] = Object.values(calls)
  const standing = await poll?.({port, prefix: '/v1.0/invoke/b/method', server})
  const closing = sidecar.close(new AbortController().signal)
  await t.rejects(fetch(`http://127.0.0.1:${port}/v1.0/healthz`), 'the listener is closed')
  t.equal(await Promise.race([closing, turn('under way')]), 'under way')
  server.close()
  await closing
  await standing?.closed
  t.pass('it is closed with the answer')
})

for (const [kind, text] of Object.entries({
  'an answer that comes whole': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood',
  'an answer in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n'
})) {
  onBothPaths(`${kind} while the sidecar closes says that its connection ends: no client sends more on it`, async t => {
    const asked = Promise.withResolvers<net.Socket>()
    const appPort = await rawApp(t, socket => onRequest(socket, () => asked.resolve(socket)))
    const {port, sidecar} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(request())
    const app = await asked.promise
    const closing = sidecar.close(new AbortController().signal)
    app.write(text)
    t.match(await caller.answer(), {status: 200, body: 'good', headers: {connection: 'close'}})
    await caller.closed()
    await closing
  })
}

onBothPaths('an answer before the sidecar closes says nothing of that', async t => {
  const appPort = await rawApp(t, socket =>
    onRequest(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'))
  )
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request())
  t.equal((await caller.answer())?.headers['connection'], undefined)
})
