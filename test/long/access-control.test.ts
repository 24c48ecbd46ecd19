import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const policy = (appId: string, rest: string): string =>
  `    - {appId: ${appId}, trustDomain: public, namespace: default, ${rest}}`

const CONFIG = `kind: Configuration
metadata: {name: config}
spec:
  accessControl:
    defaultAction: deny
    policies:
${policy('shop', 'defaultAction: deny, operations: [{name: /items/*, httpVerb: [GET], action: allow}, {name: /café, httpVerb: ["*"], action: allow}]')}
${policy('friend', 'defaultAction: allow')}
`

/** Apps that answer with their id; `stock` has the Configuration. */
const openShop = async (t: Test): Promise<{rig: Rig; run: Program; apps: Readonly<Record<string, Driven>>}> => {
  const rig = await openRig(t)
  await rig.write({
    'config.yaml': CONFIG,
    'domain.yaml': 'kind: Configuration\nspec: {accessControl: {trustDomain: far}}'
  })
  await rig.template([
    {appID: 'stock', autoPort: true, configFilePath: '../config.yaml'},
    {appID: 'shop', autoPort: true},
    {appID: 'other'}
  ])
  const other = [
    {appID: 'friend', appDirPath: '.', command: rig.drivenCommand},
    {appID: 'shop', appDirPath: '.', command: rig.drivenCommand, configFilePath: '../domain.yaml'}
  ]
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop, stranger] = await Promise.all([rig.driven('stock'), rig.driven('shop'), rig.driven('other')])
  await rig.write({'far/dapr.yaml': JSON.stringify({version: 1, apps: other})})
  rig.pillion(['run', '-f', 'far'])
  const [friend, impostor] = await Promise.all([rig.driven('friend'), rig.driven('shop')])
  await Promise.all([stock.listen(), stock.answer({body: 'stock'}), shop.listen(), shop.answer({body: 'shop'})])
  return {rig, run, apps: {stock, shop, other: stranger, friend, impostor}}
}

/** Who calls what of stock, and the rule that denies it; '' = it is allowed. */
const CALLS: readonly (readonly [caller: string, method: string, path: string, rule: string])[] = [
  ['shop', 'GET', 'items/7?n=1', ''],
  ['shop', 'GET', 'ITEMS/7', ''],
  ['shop', 'GET', 'caf%C3%A9', ''],
  ['shop', 'POST', 'items/7', 'defaultAction of shop: deny, config.yaml:7'],
  ['shop', 'GET', 'items/7/more', 'defaultAction of shop: deny, config.yaml:7'],
  ['shop', 'GET', 'items/7/%2E%2E/%2E%2E/secret', 'defaultAction of shop: deny, config.yaml:7'],
  ['other', 'GET', 'items/7', 'defaultAction: deny, config.yaml:5'],
  ['friend', 'DELETE', 'items/7', ''],
  ['impostor', 'GET', 'items/7', 'defaultAction: deny, config.yaml:5'],
  ['stock', 'POST', 'secret', '']
]

t.test('who may call what: the rule that denies is named; an app of another run is who it is there', async t => {
  const {run, apps} = await openShop(t)
  for (const [who, method, path, rule] of CALLS) {
    const answer = await apps[who]?.fetch(`/v1.0/invoke/stock/method/${path}`, {method})
    if (rule === '') t.match(answer, {status: 200, body: 'stock'}, `${who} ${method} ${path}`)
    else {
      const domain = who === 'impostor' ? 'far' : 'public'
      const id = who === 'impostor' ? 'shop' : who
      const operation = path.includes('%2E') ? 'secret' : path
      t.match(answer, {status: 403, headers: {'content-type': 'application/json'}}, `${who} ${method} ${path}`)
      t.same(JSON.parse(answer?.body ?? ''), {
        errorCode: 'ERR_DIRECT_INVOKE',
        message: `failed to invoke, id: stock, err: rpc error: code = PermissionDenied desc = access control policy has denied access to id: spiffe://${domain}/ns/default/${id} operation: ${operation} verb: ${method} (${rule})`
      })
    }
  }
  t.match(await apps['stock']?.fetch('/v1.0/invoke/shop/method/x'), {body: 'shop'}, 'who has no rules is open')
  await run.waitForLine('access policies', {stream: 'stderr'})
  const notes = run.stderr.text.match(/^.*access policies.*$/gm)
  t.same(notes, ['⚠  config.yaml: its access policies are enforced here; a self-hosted Dapr without mTLS ignores them'])
})

const status = async (app: Driven | undefined): Promise<number | undefined> =>
  (await app?.fetch('/v1.0/invoke/stock/method/items/7'))?.status

t.test('rules change while the apps run', async t => {
  const {rig, apps} = await openShop(t)
  const {shop, other} = apps
  t.same([await status(shop), await status(other)], [200, 403])
  await rig.write({
    'config.yaml': CONFIG.replace('defaultAction: deny\n', 'defaultAction: allow\n').replace('[GET]', '[PUT]')
  })
  while ((await status(shop)) !== 403) await pause(10)
  t.equal(await status(other), 200)
})

t.test('an app whose rules cannot be read is not started, and cannot be called; the run ends with 1', async t => {
  const rig = await openRig(t)
  await rig.write({'config.yaml': 'spec:\n  accessControl:\n    policies: [{appId: shop, namespace: default}]\n'})
  await rig.template([
    {appID: 'stock', autoPort: true, configFilePath: '../config.yaml'},
    {appID: 'shop', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await run.waitForLine(
    /^⚠ {2}"stock" was not started: config\.yaml:3: invalid access control spec\. missing trustdomain for apps: \[shop\]/,
    {stream: 'stderr'}
  )
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {status: 500, body: /\(\\"stock\\" was not started: config/})
  t.match(await rig.run(['restart', '--app-id', 'stock']), {
    code: 1,
    stderr: /failed to restart app id stock: config\.yaml:3:/
  })
  await shop.exit(0)
  t.match(await run.exited, {code: 1})
})
