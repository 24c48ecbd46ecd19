import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {recordedCalls} from '../rig/control-socket.ts'
import {openShop, publish} from './pubsub-shop.ts'

t.test('an event is delivered again, as it was, and the answers are compared', async t => {
  const {rig, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await publish(shop, 'bus/orders?metadata.partitionKey=7', '{"n": 1, "password": "swordfish"}')
  const first = await shop.nextRequest()
  await first.reply({status: 500, body: 'broken'})
  const rows = async (): Promise<readonly Api.Call[]> => recordedCalls(rig, 'from:bus/orders')
  let found: Api.Call | undefined
  while (found === undefined || found.isOpen) [found] = await rows()
  const number = found.number.toString()
  t.match(await rig.run(['replay', number]), {code: 1, stdout: /not sent: POST may change data/})
  const replay = rig.run(['replay', number, '--unsafe'])
  const again = await shop.nextRequest()
  t.equal(again.body, first.body)
  t.match(again, {
    method: 'POST',
    url: '/orders',
    headers: {
      'content-type': 'application/cloudevents+json',
      pubsubname: 'bus',
      partitionkey: '7',
      'pillion-replay': number
    }
  })
  t.equal(again.headers['content-length'], first.headers['content-length'])
  await again.reply({body: '{"status":"SUCCESS"}'})
  t.match((await replay).stdout, /500 → 200/)
  t.match(
    (await rows()).filter(({marks}) => marks.includes('replay')),
    [{from: 'bus/orders', to: 'shop', method: 'POST', path: '/orders', status: 200}]
  )
  t.match(
    (await rig.run(['calls', number, '-o', 'curl'])).stdout,
    /# no command: it is an event: pillion replay \d+ --unsafe delivers it again\n/
  )
})
