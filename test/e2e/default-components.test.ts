import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {subscribed} from './pubsub-shop.ts'

// nothing is asked of them here: whoever answers at Redis' own port is left alone

t.test('without resources there are the components of dapr init: the app is asked, nothing is opened', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.'], {env: {PILLION_REDIS: 'off'}})
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'unknown', topic: 'orders', route: '/orders'}])
  await shop.listen()
  await subscribed(shop, 1)
  const {components} = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {readonly components: readonly object[]}
  t.match(components, [
    {name: 'pubsub', type: 'pubsub.redis', version: 'v1'},
    {name: 'statestore', type: 'state.redis', version: 'v1'}
  ])
  t.match(await rig.run(['restart', 'shop']), {code: 0})
  const next = await rig.driven('shop')
  await next.subscribe([])
  await next.listen()
  await subscribed(next, 0)
  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  await run.exited
  t.notMatch(run.stderr.text, /pubsub|topic|Redis/)
})

t.test('an app with a folder of resources has what stands there, and no more', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/none.txt': ''})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.notMatch((await shop.fetch('/v1.0/metadata')).body, /components/)
  t.match(await shop.fetch('/v1.0/publish/pubsub/orders', {method: 'POST', body: '1'}), {
    status: 404,
    body: /pubsub pubsub is not found"/
  })
})
