import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a second Ctrl-C ends a run whose component waits for a server that does not answer', async t => {
  const server = net.createServer(socket => void socket.on('error', () => undefined).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const connectionString = `amqp://a:b@127.0.0.1:${(server.address() as AddressInfo).port}`
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: {name: 'bus'},
      spec: {
        type: 'pubsub.rabbitmq',
        version: 'v1',
        initTimeout: '600s',
        metadata: [{name: 'connectionString', value: connectionString}]
      }
    })
  })
  await rig.template([{appID: 'shop', command: ['sleep', '600'], resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [socket] = (await once(server, 'connection')) as [net.Socket]
  run.signal('SIGINT')
  await run.waitForLine(/Shutting down Dapr and app processes/)
  t.match(await run.end('SIGINT'), {code: 0})
  socket.destroy()
})
