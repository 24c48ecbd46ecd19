import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {openShop} from './fault-shop.ts'

t.test('bad input: one line says what is wrong, and what to write', async t => {
  const {rig} = await openShop(t)
  const refused = async (...words: readonly string[]): Promise<string> => {
    const {code, stdout, stderr} = await rig.run(['fault', ...words])
    t.not(code, 0)
    t.notMatch(stdout, /is on/)
    return stderr
  }
  t.match(
    await refused('shop', 'stock', '--status', '503', '--rate', '7'),
    /^❌ {2}wrong rate: "7"\nexpected a number above 0 and up to 1/
  )
  t.match(
    await refused('shop', 'stock', '--status', '99'),
    /^❌ {2}wrong status: "99"\nexpected a whole number from 200 up to 599/
  )
  t.match(await refused('shop', 'stock', '--delay', 'soon'), /^❌ {2}wrong delay: "soon"\nexpected a duration/)
  t.match(await refused('shop', 'stok', '--abort'), /^❌ {2}no app has the id "stok"\ndid you mean stock\?/)
  t.match(
    await refused('nobody', 'stock', '--abort'),
    /^❌ {2}no app has the id "nobody"\nexpected any, or one of shop, stock/
  )
  t.match(await refused('shop-'), /^❌ {2}fault needs a caller and a callee, but got "shop-"\nThe shell took "shop->…"/)
  t.match(
    await refused('shop-', '--status', '503'),
    /the output redirected to a file\. Write two words: pillion fault shop ID/
  )
  t.match(await refused('shop', 'stock'), /^❌ {2}the fault does nothing\nexpected delay, status/)
  t.match(await refused('shop', 'stock', '--never', '--kill'), /never and kill exclude each other/)
  t.match(await refused('--off', '7'), /^❌ {2}there is no fault 7\nThere are no faults\./)
  t.match(await refused('--disable', '7'), /^❌ {2}there is no fault 7\nThere are no faults\./)
  t.match(
    await refused('--disable', '7', '--enable', '7'),
    /--disable cannot be combined with others: it takes the number of a fault, or all/
  )
  t.match(await refused('--enable', '7', 'shop', 'stock'), /--enable cannot be combined with others/)
  t.match(await refused('shop'), /fault needs the ids of a caller and a callee; "any" means every app: fault any shop/)
  for (const time of ['delay', 'for'])
    t.match(
      await refused('shop', 'stock', '--status', '503', `--${time}`, '200'),
      `invalid argument "200" for "--${time}" flag: expected a duration up to 24 days (200ms or 200s)`
    )
  t.match(await refused('--to', 'stock'), 'The callee comes second: pillion fault any ID.')
  for (const [at, arrow] of ['->', '→'].entries())
    t.match(
      await rig.run(['fault', `shop${arrow}stock`, '--abort']),
      {code: 0, stdout: new RegExp(`fault ${at + 1} is on: shop → stock`)},
      'in quotes an arrow is taken'
    )
  t.match(await rig.run(['fault', 'list']), {code: 0, stdout: /shop → stock/})
  t.match(await rig.run(['fault', 'clear']), {code: 0, stdout: /removed all faults: 2/})
})

t.test('faults of a template are checked at their places', async t => {
  const rig = await openRig(t)
  const wrong = async (fault: string): Promise<string> => {
    await rig.write({
      'dapr.yaml': `version: 1\napps: [{appID: shop, appDirPath: .}, {appID: stock, appDirPath: .}]\nfaults:\n  - ${fault}\n`
    })
    const {code, stdout, stderr} = await rig.run(['validate'])
    t.equal(code, 1)
    return `${stdout}${stderr}`
  }
  t.match(await wrong('{from: shop, to: stock, status: 99}'), /dapr\.yaml:4:37[^]*from 200 up to 599/)
  t.match(await wrong('{from: shop, to: stock, status: 503, rate: 7}'), /dapr\.yaml:4:48[^]*above 0 and up to 1/)
  t.match(await wrong('{from: shop, to: stock, delay: soon}'), /dapr\.yaml:4:36[^]*expected a duration/)
  t.match(
    await wrong('{from: shop, to: stok, abort: true}'),
    /no app has the id "stok"[^]*dapr\.yaml:4:22[^]*did you mean stock\?/
  )
  t.match(await wrong('{from: shop, to: stock, statsu: 503}'), /statsu[^]*did you mean status\?/)
  t.match(await wrong('{from: shop, to: stock}'), /the fault does nothing[^]*dapr\.yaml:4:5/)
})
