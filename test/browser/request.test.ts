import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, call, madeUp} from './made-up.ts'
import {detail, replayed, runWithCalls} from './made-up-calls.ts'
import {crash, death, trouble} from './made-up-crash.ts'

t.test('a request', async t =>
  withBrowser(t, async browser => {
    await t.test('a request has the whole width, an axis, lines from each call to those within it', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 900})
      await page.getByRole('navigation').getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('/orders/7').click()
      const bars = page.locator('.bars')
      t.ok(((await bars.boundingBox())?.width ?? 0) > 1300)
      t.same(await bars.locator('.scale span').allInnerTexts(), ['0', '100 ms', '200 ms', '300 ms', '400 ms'])
      t.same(await bars.locator('.branch').allTextContents(), ['', '└ ', '  └ '])
      const names = await bars.locator('li .name > span:last-child').allTextContents()
      t.match(names[1], /^checkout → payments/, 'its caller is not the callee of the call above')
    })

    await t.test('if the run does not answer, a call is not shown as another one', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      const at = `${run.url.split('#')[0] ?? ''}#/calls/`
      await page.goto(`${at}7`)
      await page.getByRole('region', {name: 'Steps of the request'}).waitFor()
      await page.route(/\/api\/v1\/(?:calls|trace)/, async route => route.abort())
      await page.goto(`${at}8`)
      await page.getByText('the run does not answer').first().waitFor()
      t.equal(await page.getByText('/orders/7').count(), 0)
      await page.goBack()
      await page.getByText('the run does not answer').first().waitFor()
    })

    await t.test('keys do not send the call before, while the next one is awaited', async t => {
      const run = await runWithCalls(t)
      run.answers['GET /calls/8'] = {...detail(8, {path: '/refunds'})}
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      const send = page.getByRole('button', {name: 'Send again'})
      await send.waitFor()
      const {promise: answered, resolve: answer} = Promise.withResolvers<void>()
      await page.route(/\/calls\/8$/, async route => answered.then(async () => route.continue()))
      await page.getByRole('list', {name: 'Calls of the request'}).getByRole('link').nth(1).click()
      await page.getByRole('heading', {name: 'Calls / 8'}).waitFor()
      await send.waitFor({state: 'detached'})
      await page.keyboard.press('r')
      answer()
      await send.waitFor()
      t.notOk(run.asked.includes('POST /calls/7/replay'))
    })

    await t.test('why a call is not shown is not said of the next one, while that is awaited', async t => {
      const run = await runWithCalls(t)
      delete run.answers['GET /calls/7']
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      await page.getByText('there is no /calls/7').first().waitFor()
      await page.route(/\/calls\/8$/, async () => Promise.resolve()) // no answer yet
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/8`)
      await page.getByText('Asking the run …').first().waitFor()
      t.equal(await page.getByText('there is no /calls/7').count(), 0)
    })

    await t.test('why something failed stays while the user types a filter', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('button', {name: 'Restart payments'}).click()
      const failure = page.getByRole('alert', {name: 'Failure'})
      await failure.getByText('there is no /apps/payments/restart').waitFor()
      await page.getByRole('searchbox').first().fill('pay')
      await page.waitForURL(/q=pay/)
      t.ok(await failure.isVisible())
      await page.getByRole('link', {name: 'Calls', exact: true}).first().click()
      await failure.waitFor({state: 'detached'})
    })

    await t.test('why something failed is shown until the next try, or another address', async t => {
      const run = await runWithCalls(t)
      delete run.answers['POST /calls/7/replay']
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      const failure = page.getByRole('alert', {name: 'Failure'})
      const send = page.getByRole('button', {name: 'Send again'})
      const result = page.getByRole('group', {name: 'Sent again'})
      await send.click()
      await failure.getByText('there is no /calls/7/replay').waitFor()
      run.answers['POST /calls/7/replay'] = replayed()
      await send.click()
      await result.waitFor()
      t.equal(await failure.count(), 0)
      delete run.answers['POST /calls/7/replay']
      await send.click()
      await failure.waitFor()
      t.equal(await result.count(), 0, 'what came of it before is not what came of it now')
      await page.getByRole('link', {name: 'Calls', exact: true}).first().click()
      await page.getByRole('grid', {name: 'Calls', exact: true}).waitFor()
      t.equal(await failure.count(), 0)
    })

    await t.test('its end is shown, also if the page was too slow to be told of it', async t => {
      const run = await runWithCalls(t)
      run.answers['GET /calls/7'] = detail(7, {isOpen: true, status: 0})
      const {page} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/calls/7`)
      await page.getByText('… under way').first().waitFor()
      await run.followed('calls')
      run.answers['GET /calls/7'] = detail(7, {status: 204})
      run.send('dropped', {calls: 3})
      await page.getByText('204', {exact: true}).first().waitFor()
      t.pass('its end was among them')
    })

    await t.test('the lines of a shadow are those of its app', async t => {
      const run = await runWithCalls(t)
      run.apps = [app('payments', {version: '1.0.0', isMain: false}), app('payments', {version: '2.0.0'})]
      run.answers['GET /calls/7'] = detail(7, {from: 'mirror', to: 'payments@1.0.0'})
      const {page} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/calls/7`)
      await page.getByText('Lines of payments meanwhile').waitFor()
    })

    await t.test('what was compared at one crash is not at the next', async t => {
      const run = await madeUp(t)
      crash(run)
      run.answers['GET /calls/48190'] = detail(48190)
      run.answers['GET /calls/48188'] = detail(48188)
      const {page} = await open(browser, run.url)
      await page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments'}).click()
      const killed = page.getByRole('region', {name: 'Last crash'})
      await killed.getByRole('button', {name: 'Compare bodies'}).click()
      await killed.getByRole('group', {name: 'Answered before'}).waitFor()
      const next = death({number: 4, inside: [{...call(50001), forMs: 1, count: 1, times: 0}], finished: []})
      Object.assign(run.answers['GET /apps/payments/why'] as object, {death: next})
      run.send('troubles', {troubles: [trouble({death: 4})]})
      await killed.getByText('crash 4').waitFor()
      t.equal(await killed.getByRole('group', {name: 'Answered before'}).count(), 0)
    })

    await t.test('edit and send: what differs is sent, and the answers are compared', async t => {
      const run = await runWithCalls(t)
      const bodies: unknown[] = []
      run.answers['POST /calls/7/replay'] = body => (bodies.push(JSON.parse(body)), replayed())
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      await page.getByRole('button', {name: 'Edit and send …'}).waitFor()
      await page.keyboard.press('e')
      await page.getByRole('button', {name: 'Edit and send …', pressed: true}).waitFor()
      const [text, ground] = await page.evaluate<readonly string[]>(
        "(style => [style.color, style.backgroundColor])(getComputedStyle(document.querySelector('.primary[aria-pressed=true]')))"
      )
      t.not(text, ground, 'its words can be read')
      const area = page.getByRole('textbox', {name: 'Request'})
      t.equal(await area.inputValue(), 'GET /orders/7\nauthorization: <masked, 10 characters>\n\n')
      await area.fill('GET /orders/7\nx-user ann\n\n')
      await page.keyboard.press('Control+Enter')
      await page.getByRole('alert').getByText('Line 2 is not a header').waitFor()
      await area.fill('POST /orders/8\nauthorization: <masked, 10 characters>\nx-user: ann\n\n{"item":\n\n"pen"}')
      await page.getByRole('button', {name: 'Send', exact: true}).click()
      await page.getByRole('group', {name: 'Sent again'}).getByText('500 → 200').waitFor()
      await area.fill('GET /orders/7\n\n')
      await page.getByRole('button', {name: 'Send', exact: true}).click()
      await page.getByRole('button', {name: 'Send', exact: true}).waitFor()
      t.same(bodies, [
        {
          unsafe: true,
          edit: {method: 'POST', path: '/orders/8', headers: {'x-user': 'ann'}, body: '{"item":\n\n"pen"}'}
        },
        {unsafe: true, edit: {headers: {authorization: null}}}
      ])
      t.same(await violations(page), [])
    })

    await t.test('a request that is edited as its call is under way is sent whole once that has ended', async t => {
      const run = await runWithCalls(t)
      const bodies: unknown[] = []
      run.answers['POST /calls/7/replay'] = body => (bodies.push(JSON.parse(body)), replayed())
      const line = 'POST /orders/7 HTTP/1.1'
      const open7 = {method: 'POST', isOpen: true, request: {line, headers: [], body: '', encoding: 'utf8'}} as const
      run.answers['GET /calls/7'] = {...detail(7, open7)}
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      await page.getByRole('button', {name: 'Edit and send …'}).click()
      await page.getByRole('textbox', {name: 'Request'}).waitFor()
      const request = {line, headers: [['x-user', 'ann']], body: '{"item":"pen"}', encoding: 'utf8'} as const
      run.answers['GET /calls/7'] = {...detail(7, {method: 'POST', request})}
      await run.followed('calls')
      run.send('calls', {calls: [call(7)], notShown: 0})
      await page.getByText('{1}').waitFor()
      await page.getByRole('button', {name: 'Send', exact: true}).click()
      await page.getByRole('group', {name: 'Sent again'}).waitFor()
      t.same(bodies, [{unsafe: true, edit: {}}])
    })
  })
)
