import {createServer} from 'node:http'
import t from 'tap'
import type {LeasedSidecar, RunListing} from '../../src/control/run-control.ts'
import {register} from '../../src/control/server.ts'
import {freePort} from '../rig/free-port.ts'
import {served} from '../rig/run-control.ts'
import {runOf} from '../rig/listed.ts'
import {openRig} from '../rig/rig.ts'

const RUN = 'a'.repeat(32)

t.test('an app of another run whose sidecar takes no connections is tried again', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'resources/retries.yaml':
      'kind: Resiliency\nmetadata: {name: r}\nspec: {policies: {retries: {DaprBuiltInServiceRetries: {policy: constant, duration: 1ms, maxRetries: 4}}}}\n'
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources', logLevel: 'debug'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await run.waitForLine('Writing log files')
  const address = {run: RUN, startedAt: 1, hosts: ['127.0.0.1'], port, grpcPort: port, key: 'key'}
  const leaseSidecar = (id: string): LeasedSidecar | undefined =>
    id === 'stock'
      ? {address, closing: new AbortController().signal, ready: () => 1, onChange: () => () => undefined}
      : undefined
  const list = (): RunListing => runOf(RUN)
  const registration = await register(rig.runtimeDir, {marker: RUN, graceMs: 1}, served({list, leaseSidecar}))
  t.teardown(async () => registration.withdraw())
  const call = async (): Promise<{status: number; body: string}> =>
    shop.fetch('/v1.0/invoke/stock/method/items', {method: 'POST', body: 'pear'})
  t.match(await call(), {
    status: 500,
    body: /failed to invoke, id: stock, err: failed to invoke target stock after 4 retries\. Error: rpc error: code = Unavailable desc = connection error: dial tcp 127\.0\.0\.1:\d+: connect: connection refused/
  })
  await run.waitForLine('shop → stock: no response, retry 4 of 4 in 1 ms')
  await rig.logged('shop', /level=warn.*Error processing operation DaprBuiltInServiceRetries\. Retrying in 1ms…/)
  const bodies: string[] = []
  const sidecar = createServer((request, response) => {
    request.on('data', (piece: Buffer) => bodies.push(piece.toString())).on('end', () => response.end('there'))
  })
  t.teardown(() => sidecar.close())
  await new Promise<void>(resolve => sidecar.listen(port, '127.0.0.1', resolve))
  t.match(await call(), {status: 200, body: 'there'})
  t.same(bodies, ['pear'])
})
