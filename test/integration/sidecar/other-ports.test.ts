import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {openMetricsPort} from '../../../src/sidecar/metrics-port.ts'
import {connect} from './caller.ts'

const listening = async (): Promise<{readonly server: net.Server; readonly port: number}> => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {server, port: (server.address() as AddressInfo).port}
}

t.test('the metrics port is there, and empty', async t => {
  const {server, port} = await listening()
  const open = openMetricsPort([server])
  for (const path of ['/metrics', '/']) {
    const caller = await connect(t, port)
    caller.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    t.match(await caller.answer(), {status: 200, body: ''})
  }
  open.close()
  await t.rejects(connect(t, port), {code: 'ECONNREFUSED'})
})
