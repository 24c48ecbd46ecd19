import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {open, toView, violations, withBrowser} from './browser.ts'

const CALLEE = `require('http').createServer((_, response) => response.end('stock')).listen(process.env.APP_PORT)`

t.test('a real run: a fault from the form hits a call, the graph and the template tell of it', async t =>
  withBrowser(t, async browser => {
    const rig = await openRig(t)
    const app = {appDirPath: '.', command: ['sleep', '600']}
    await rig.template([
      {...app, appID: 'shop'},
      {...app, appID: 'stock', autoPort: true, command: ['node', '-e', CALLEE]},
      {...app, appID: 'web', dependsOn: ['shop']}
    ])
    const run = rig.pillion(['run', '-f', '.'])
    const {http} = await run.ports('shop')
    const call = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/items`)).text()
    t.equal(await call(), 'stock')
    const [url = ''] = /http:\S+/.exec((await rig.run(['dashboard', '--no-open'])).stdout) ?? []
    const {page, troubles} = await open(browser, url)

    await page.getByRole('link', {name: 'Graph'}).click()
    const picture = page.getByRole('group', {name: 'Graph of calls'})
    await picture.getByRole('button', {name: /^shop to stock: .* not declared$/}).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('region', {name: 'shop → stock'}).getByRole('link', {name: 'Fault …'}).click()
    const form = page.getByRole('form', {name: 'New fault'})
    await form.getByLabel('Body').fill('no stock')
    await form.getByRole('button', {name: 'Switch on'}).click()
    const table = page.getByRole('region', {name: 'Faults that are on'})
    await table.getByRole('row', {name: /shop → stock 503 each call 0 of 0/}).waitFor()
    t.equal(await call(), 'no stock')
    await table.getByText('1 of 1').waitFor()

    await page.getByRole('link', {name: 'Graph'}).click()
    await picture.getByRole('button', {name: /^shop to stock: .*⚡.* a fault is on/}).waitFor()
    await page.getByRole('link', {name: /^Faults/}).click()
    await page.getByRole('button', {name: 'Remove fault 1'}).click()
    await page.getByText('No fault is active').waitFor()
    t.equal(await call(), 'stock')

    // two steps: the app, and what its calls get
    await page.getByRole('link', {name: /^Apps/}).click()
    await page.getByRole('grid').getByRole('link', {name: 'stock'}).click()
    const quick = page.getByRole('group', {name: 'Faults of calls to stock'})
    await quick.getByRole('button', {name: 'Fail half'}).click()
    await quick.getByText(/⚡ 503, 50 ?%/).waitFor()
    t.strictSame(await violations(page), [])
    await quick.getByRole('button', {name: 'Remove fault 2'}).click()
    await quick.getByText('⚡').waitFor({state: 'detached'})
    await quick.getByRole('button', {name: 'Fail all'}).click()
    await quick.getByText('⚡ 503').waitFor()
    t.match(await call(), /fault/)
    await quick.getByRole('button', {name: 'Remove fault 3'}).click()
    t.match(await quick.getByRole('link', {name: 'Fault …'}).getAttribute('href'), /from=any&to=stock/)

    await toView(page, 'Template')
    await page.getByText('shop calls stock: not in its dependsOn').waitFor()
    await page.getByText('dependsOn: [stock]', {exact: true}).waitFor()
    t.same(troubles, [])
  })
)
