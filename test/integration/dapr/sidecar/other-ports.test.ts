import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {hostGuard} from '../../../../src/proxy/gateway/guards.ts'
import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import {openMetricsPort} from '../../../../src/dapr/sidecar/ports.ts'
import {connect} from './caller.ts'

const listening = async (): Promise<{readonly server: net.Server; readonly port: number}> => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {server, port: (server.address() as AddressInfo).port}
}

t.test('the metrics port is served like the others: a foreign Host is refused, and so is what is no HTTP', async t => {
  const {server, port} = await listening()
  const open = openMetricsPort([server], async () => 'up 1\n', {
    isAllowedHost: hostGuard([]),
    pages: new PageGuard([]),
    warn: () => undefined
  })
  t.teardown(() => open.destroy())
  const ask = async (text: string): Promise<unknown> => {
    const caller = await connect(t, port)
    caller.send(text)
    return caller.answer()
  }
  t.match(await ask('GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n'), {status: 403})
  t.match(await ask('GET /metrics HTTP/1.1\r\n\r\n'), {status: 400})
  t.match(
    await ask('GET /metrics HTTP/1.1\r\nHost: localhost:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    {status: 400}
  )
  t.match(await ask('POST /metrics HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 1\r\n\r\nx'), {status: 200})
})

t.test('the metrics port answers any path with what there is just then, or says that there is nothing', async t => {
  const {server, port} = await listening()
  let text: string | undefined = 'up 1\n'
  const open = openMetricsPort([server], async () => text, {
    isAllowedHost: () => true,
    pages: new PageGuard([]),
    warn: () => undefined
  })
  const ask = async (path: string, method = 'GET'): Promise<unknown> => {
    const caller = await connect(t, port)
    caller.send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return caller.answer({toHead: method === 'HEAD'})
  }
  const type = 'text/plain; version=0.0.4; charset=utf-8'
  for (const path of ['/metrics', '/'])
    t.match(await ask(path), {status: 200, body: 'up 1\n', headers: {'content-type': type}})
  t.match(await ask('/', 'HEAD'), {status: 200, body: ''})
  text = undefined
  t.match(await ask('/metrics'), {status: 404, body: 'metrics are disabled\n'})
  open.destroy()
  await t.rejects(connect(t, port), {code: 'ECONNREFUSED'})
})
