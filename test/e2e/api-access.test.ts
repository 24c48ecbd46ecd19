import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const config = (rules: string): string => `kind: Configuration\nspec:\n  api: ${rules}\n`
const rule = (name: string, version = 'v1.0'): string => `{name: ${name}, version: ${version}, protocol: http}`

t.test('APIs that are denied answer as unknown paths do; calls to the app and health go on; edits count', async t => {
  const rig = await openRig(t)
  await rig.write({'config.yaml': config(`{denied: [${rule('invoke', 'v1')}, ${rule('metadata', 'v1')}]}`)})
  await rig.template([
    {appID: 'shop', autoPort: true, configFilePath: '../config.yaml'},
    {appID: 'stock', autoPort: true}
  ])
  rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  for (const app of [shop, stock]) {
    await app.answer({body: 'here'})
    await app.listen()
  }
  const unknown = {status: 404, body: /^\{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either/}
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), unknown)
  t.match(await shop.fetch('/x', {headers: {'dapr-app-id': 'stock'}}), unknown)
  t.match(await shop.fetch('/v1.0/metadata'), unknown)
  t.match(await shop.fetch('/v1.0/healthz'), {status: 204})
  t.match(await stock.fetch('/v1.0/invoke/shop/method/x'), {status: 200, body: 'here'}, 'it may be called itself')
  t.match(await stock.fetch('/v1.0/metadata'), {status: 200})
  rig.pillion(['run', '-a', 'far', '--', ...rig.drivenCommand])
  const far = await rig.driven('far')
  t.match(await far.fetch('/v1.0/invoke/shop/method/x'), {status: 200, body: 'here'}, 'also from another run')

  await rig.write({'config.yaml': config(`{allowed: [${rule('invoke')}]}`)})
  while ((await shop.fetch('/v1.0/invoke/stock/method/x')).status !== 200) await pause(10)
  t.match(await shop.fetch('/v1.0/metadata'), unknown)
})
