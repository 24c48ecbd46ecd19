import t from 'tap'
import {openRig, type TemplateApp} from '../rig/rig.ts'

const CONFIG = `kind: Configuration
metadata: {name: config}
spec:
  accessControl:
    defaultAction: deny
    policies:
    - {appId: friend, trustDomain: public, namespace: default, defaultAction: allow}
`

t.test('/services/… of another run: its app is told who calls, and its rules decide', async t => {
  const rig = await openRig(t)
  const template = (...apps: readonly TemplateApp[]): string =>
    JSON.stringify({
      version: 1,
      managerPort: 0,
      apps: apps.map(app => ({appDirPath: '.', command: rig.drivenCommand, ...app}))
    })
  await rig.write({
    'there/config.yaml': CONFIG,
    'there/dapr.yaml': template({appID: 'stock', autoPort: true, configFilePath: './config.yaml'}),
    'here/dapr.yaml': template({appID: 'friend'}, {appID: 'shop'})
  })
  for (const folder of ['there', 'here']) rig.pillion(['run', '-f', folder])
  const [stock, friend, shop] = await Promise.all([rig.driven('stock'), rig.driven('friend'), rig.driven('shop')])
  await stock.answer({body: 'stock'})
  await stock.listen()
  for (const path of ['/services/stock/items', '/services/stock_0.0.0/items', '/v1.0/invoke/stock/method/items'])
    t.match(await friend.fetch(path), {status: 200, body: 'stock'}, path)
  t.match(await shop.fetch('/v1.0/invoke/stock/method/items'), {status: 403})
  t.match(await shop.fetch('/services/stock/items'), {
    status: 403,
    body: /denied access to id: spiffe:\/\/public\/ns\/default\/shop operation: items verb: GET \(defaultAction: deny, there\/config\.yaml:5\)/
  })
  t.match(await shop.fetch('/services/stock/items', {headers: {'pillion-caller': 'x/default/friend/public'}}), {
    status: 403
  })
  t.match(await stock.fetch('/services/stock/items'), {status: 200}, 'an app may call itself')
})
