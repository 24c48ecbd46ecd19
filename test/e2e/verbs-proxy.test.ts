import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('neither invoke nor publish goes to a proxy that Node is to use', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.listen()
  const proxy = createServer((request, response) => {
    t.fail(`the proxy got ${request.url}`)
    response.writeHead(502).end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => proxy.close())
  await once(proxy, 'listening')
  const {port} = proxy.address() as AddressInfo
  const env = {NODE_USE_ENV_PROXY: '1', HTTP_PROXY: `http://127.0.0.1:${port}`}
  const invoked = rig.run(['invoke', '-a', 'a', '-m', 'items'], {env})
  await (await a.nextRequest()).reply({body: 'seven'})
  t.match(await invoked, {code: 0, stdout: /^seven\n/})
  const publish = ['publish', '-i', 'a', '-p', 'none', '-t', 'x', '-d', '{}']
  t.match(await rig.run(publish, {env}), {code: 1, stderr: /pubsub none is not/})
})
