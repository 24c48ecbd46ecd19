import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {callDetail, madeUp} from './made-up.ts'
import {madeRequest} from './made-up-spans.ts'

t.test('what apps did inside of a call is in its tree, which grows while it is open', async t =>
  withBrowser(t, async browser => {
    for (const theme of ['light', 'dark'] as const) {
      const run = await madeUp(t)
      const {order, early, tree} = madeRequest(Date.now())
      Object.assign(run.answers, {
        'GET /calls': {last: 42, calls: [order]},
        'GET /calls/41': {...callDetail(order)},
        'GET /pins': {pins: [], rounds: []},
        'GET /trace': {...early}
      })
      const {page, troubles} = await open(browser, run.url, theme)
      await page.goto(`${page.url().replace(/#.*/, '')}#/calls/41`)
      const panel = page.getByRole('main')
      const rows = panel.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
      const statement = rows.filter({hasText: 'SELECT name, price'})

      await statement.getByText(/failed, LockTimeout: another order holds item 13/).waitFor()
      t.equal(await rows.count(), 3)
      t.match(await statement.getByLabel('Lines').innerText(), /stock item 13: waiting for a lock/)
      await rows
        .nth(1)
        .getByText(
          'shop client: GET http://localhost/v1.0/invoke/stock/method/items/13 500 · stock server: GET /items/13 500'
        )
        .waitFor()
      await statement.locator('summary').first().click()
      const details = statement.getByLabel('Span')
      t.match(await details.innerText(), /db\.system\.name +postgresql[^]*note +<img src=x/)
      t.match(
        await details.innerText(),
        /exception +LockTimeout: another order holds item 13\s+at find \(stock\.js:31:9\)/
      )
      t.equal(await panel.locator('img').count(), 0)

      run.answers['GET /trace'] = {...tree}
      await rows.getByText('GET https://prices.example/items/13').first().waitFor()
      t.match(await rows.locator('.name > :last-child').allTextContents(), [
        'user → shop GET /orders/13',
        'shop check basket',
        'stock GET /items/13',
        'stock GET https://prices.example/items/13 200',
        /^stock SELECT/
      ])
      t.ok(await details.isVisible(), 'what is open stays so, though a row came above it')
      t.equal(await panel.getByLabel('Span').filter({visible: true}).count(), 1)
      t.same(await violations(page), [])
      t.same(troubles, [])
    }
  })
)
