import t from 'tap'
import {open, toView, violations, withBrowser} from './browser.ts'
import {fault, FIRST_VIEW, madeUp} from './made-up.ts'

t.test('faults', async t =>
  withBrowser(t, async browser => {
    await t.test('lists those that are on as they change, and takes them off', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.faults = [fault(1)]
      const {page, troubles} = await open(browser, run.url)
      await toView(page, 'Faults')
      const table = page.getByRole('region', {name: 'Faults that are on'})
      await table
        .getByRole('row', {name: /1 .* checkout → payments POST \/charge\* 300 ms later, 503 30 % .* 42 118 of 391/})
        .waitFor()
      run.send('fault', {change: 'hit', fault: fault(1, {hits: 119, matched: 392}), text: ''})
      await table.getByText('119 of 392').waitFor()
      run.send('fault', {change: 'on', fault: fault(2, {rate: 1, delayMs: 0}), text: ''}, 1001)
      await table.getByRole('rowheader', {name: '2'}).waitFor()
      t.equal(await page.getByRole('link', {name: /^Faults ?2$/}).count(), 1, 'the header counts them')
      const switched = table.getByRole('switch', {name: 'Fault 1 hits calls'})
      t.equal(await switched.getAttribute('aria-checked'), 'true')
      run.answers['POST /faults/1/disable'] = {faults: [], removed: 0}
      await switched.click()
      run.send('fault', {change: 'disabled', fault: fault(1, {isEnabled: false}), text: ''}, 1002)
      await table.getByRole('switch', {name: 'Fault 1 hits calls', checked: false}).waitFor()
      await page.getByRole('link', {name: /^Faults ?1$/}).waitFor()
      t.ok(run.asked.includes('POST /faults/1/disable'))
      run.answers['POST /faults/1/enable'] = {faults: [], removed: 0}
      await switched.press('Space')
      run.send('fault', {change: 'enabled', fault: fault(1), text: ''}, 1003)
      await table.getByRole('switch', {name: 'Fault 1 hits calls', checked: true}).waitFor()
      run.answers['DELETE /faults/1'] = {faults: [], removed: 1}
      await page.getByRole('button', {name: 'Remove fault 1'}).click()
      run.send('fault', {change: 'off', fault: fault(1), text: ''}, 1004)
      run.send('fault', {change: 'off', fault: fault(2), text: ''}, 1005)
      await page.getByText('No fault is active').waitFor()
      t.ok(run.asked.includes('DELETE /faults/1'))
      t.same(troubles, [])
    })

    await t.test('switches one on; the same as a command and as lines of the template', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const bodies: string[] = []
      run.answers['POST /faults'] = body => {
        bodies.push(body)
        return {faults: [fault(1)], removed: 0}
      }
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('navigation').waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/faults?from=checkout&to=payments`)
      const same = page.getByRole('region', {name: 'The same as text'})
      await same.getByText('pillion fault checkout payments --status 503', {exact: true}).waitFor()
      const form = page.getByRole('form', {name: 'New fault'})
      await form.getByLabel('Path').fill("/orders/*'s")
      await form.getByLabel('Percent of the calls').fill('30')
      await form.getByLabel('Then').selectOption('the response breaks off')
      await form.getByLabel('Bytes before the cut').fill('100')
      await same
        .getByText(String.raw`pillion fault checkout payments --path '/orders/*'\''s' --cut-after 100 --rate 0.3`, {
          exact: true
        })
        .waitFor()
      await same.getByText(`- {from: checkout, to: payments, path: "/orders/*'s", cut: 100, rate: 0.3}`).waitFor()
      await form.getByRole('button', {name: 'Switch on'}).dblclick()
      while (bodies.length === 0) await page.getByRole('form').first().waitFor()
      t.same(JSON.parse(bodies[0] ?? ''), {from: 'checkout', to: 'payments', path: "/orders/*'s", cut: 100, rate: 0.3})
      t.same(troubles, [])
      await page.goto(`${page.url().replace(/#.*/, '')}#/apps/payments`)
      const quick = page.getByRole('group', {name: 'Faults of calls to payments'})
      await quick.getByRole('button', {name: 'Fail half'}).dblclick()
      await quick.getByRole('button', {name: 'Fail all'}).click()
      while (!bodies.at(-1)?.endsWith('"status":503}')) await quick.waitFor()
      t.equal(bodies.length, 3, 'a double click adds one fault')
    })

    await t.test('a fault of all calls is asked about first', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      Object.assign(run.answers, {'POST /faults': {faults: [fault(3)], removed: 0}})
      const {page} = await open(browser, run.url)
      await toView(page, 'Faults')
      await page.getByRole('form').getByRole('button', {name: 'Switch on'}).click()
      const question = page.getByRole('dialog')
      await question.getByText('This fault hits every call of the run.').waitFor()
      t.notOk(run.asked.includes('POST /faults'), 'one click does no harm')
      const sent = page.waitForRequest(request => request.method() === 'POST' && request.url().includes('/faults'))
      await question.getByRole('button', {name: 'Switch on'}).click()
      await sent
    })

    await t.test('says what the run says of a mistake; an edited fault replaces its old one', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.faults = [fault(3)]
      const {page} = await open(browser, run.url)
      await toView(page, 'Faults')
      await page.getByRole('button', {name: 'Edit fault 3'}).click()
      const form = page.getByRole('form', {name: 'Fault 3'})
      t.equal(await form.getByLabel('Delay').inputValue(), '300ms')
      t.equal(await form.getByLabel('Seed').inputValue(), '42')
      await form.getByRole('button', {name: 'Replace fault 3'}).click()
      await page.getByRole('alert').getByText('there is no /faults/3. Look elsewhere.').waitFor()
      t.notOk(run.asked.includes('DELETE /faults/3'), 'the old one stays')
      run.answers['POST /faults/3'] = {faults: [fault(3)], removed: 0}
      await form.getByRole('button', {name: 'Replace fault 3'}).click()
      await page.getByRole('form', {name: 'New fault'}).waitFor()
      await page.getByRole('button', {name: 'Edit fault 3'}).click()
      await page.getByRole('form', {name: 'Fault 3'}).waitFor()
      run.send('fault', {change: 'off', fault: fault(3), text: ''}, 1001)
      await page.getByText('No fault is active').waitFor()
      await page.getByRole('form', {name: 'New fault'}).waitFor() // what is over cannot be replaced
    })

    await t.test('a fault of the next run with the number of the one that was edited is not replaced', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.faults = [fault(1)]
      const {page} = await open(browser, run.url)
      await toView(page, 'Faults')
      await page.getByRole('button', {name: 'Edit fault 1'}).click()
      await page.getByRole('form', {name: 'Fault 1'}).waitFor()
      run.restart()
      run.cut()
      await page.getByRole('form', {name: 'New fault'}).waitFor()
    })

    await t.test('a fault that is edited keeps its end, and stays disabled', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.helloAt = new Date(Date.now() - 600_000).toISOString()
      run.faults = [fault(3, {isEnabled: false, leftMs: 1_199_500})]
      const bodies: unknown[] = []
      run.answers['POST /faults/3'] = body => {
        bodies.push(JSON.parse(body))
        return {faults: [fault(3, {isEnabled: false})], removed: 0}
      }
      const {page} = await open(browser, run.url)
      await toView(page, 'Faults')
      await page.getByRole('button', {name: 'Edit fault 3'}).click()
      await Promise.all([
        page.waitForResponse(/faults.3$/),
        page.getByRole('button', {name: 'Replace fault 3'}).click()
      ])
      await page.getByRole('form', {name: 'New fault'}).waitFor()
      t.match(bodies, [{status: 503, for: /^5\d\ds$/}], 'ten minutes of twenty are over')
      t.same(
        run.asked.filter(each => /^(POST|DELETE) .faults/.test(each)),
        ['POST /faults/3']
      )
    })

    await t.test('a fault that has hit as many calls as it may is off, though the run keeps it', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.faults = [fault(1, {times: 2, hits: 2, matched: 2}), fault(2)]
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: /^Faults ?1$/}).click()
      const table = page.getByRole('region', {name: 'Faults that are on'})
      await table.getByRole('rowheader', {name: '2'}).waitFor()
      t.equal(await table.getByRole('rowheader').count(), 1)
      const once = fault(3, {times: 1, hits: 0, matched: 0})
      run.send('fault', {change: 'on', fault: once, text: ''}, 1001)
      await table.getByRole('rowheader', {name: '3'}).waitFor()
      const spent = {...once, hits: 1, matched: 1}
      run.send('fault', {change: 'off', fault: spent, text: 'fault 3 is off'}, 1002)
      run.send('fault', {change: 'hit', fault: spent, text: ''})
      run.send('fault', {change: 'hit', fault: fault(2, {hits: 119}), text: ''})
      await table.getByText('119 of 391').waitFor()
      t.equal(await table.getByRole('rowheader').count(), 1, 'it does not come back')
    })

    await t.test('shows nothing that changes the run to one who may only look', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.faults = [fault(1)]
      const {page} = await open(browser, run.readOnlyUrl)
      await toView(page, 'Faults')
      await page.getByRole('region', {name: 'Faults that are on'}).waitFor()
      t.equal(await page.getByRole('form').count(), 0)
      t.equal(await page.getByRole('button', {name: /Remove|Edit|All off/}).count(), 0)
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t, {answers: FIRST_VIEW})
        run.faults = [fault(1), fault(2, {isEnabled: false})]
        const {page} = await open(browser, run.url, theme)
        await toView(page, 'Faults')
        await page.getByRole('form').waitFor()
        t.same(await violations(page), [])
      })
  })
)
