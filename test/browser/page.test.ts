import type {Page} from 'playwright-core'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, call, madeUp} from './made-up.ts'

/** From now on the page does not try again by itself. */
const stopClock = async ({clock}: Page): Promise<void> => {
  await clock.install()
  await clock.pauseAt(Date.now() + 1000)
}

t.test('the page', async t =>
  withBrowser(t, async browser => {
    await t.test('takes the token out of the address, and keeps it', async t => {
      const run = await madeUp(t)
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      t.equal(page.url(), run.url.replace(/#.*/, ''))
      await page.reload()
      await page.getByRole('link', {name: 'payments'}).waitFor()
      t.equal(await page.title(), 'Apps · shop · Pillion')
      t.same(troubles, [])
    })

    await t.test('says what to do without a token', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url.replace(/#.*/, ''))
      await page.getByText('pillion dashboard').waitFor()
      t.same(run.asked, [])
    })

    await t.test('goes on after a loss, and with the next run', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await stopClock(page)
      run.isDown = true
      run.send('bye', {}, 1001)
      run.cut()
      await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').waitFor()
      t.ok(await page.getByRole('link', {name: 'payments'}).isVisible(), 'what was known stays')
      run.apps = [app('shipping')]
      run.restart()
      await page.getByRole('button', {name: 'Now'}).click()
      await page.getByRole('link', {name: 'shipping'}).waitFor()
      t.equal(await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').count(), 0)
    })

    await t.test('says why it gets no events', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await stopClock(page)
      run.isFull = true
      run.cut()
      await page.getByRole('button', {name: 'Now'}).click()
      await page.getByText('16 readers follow the events already. Close one of them.').waitFor()
      run.isFull = false
      await page.getByRole('button', {name: 'Now'}).click()
      await page.getByRole('region', {name: 'Connection'}).waitFor({state: 'detached'})
    })

    await t.test('says so if a view cannot be loaded, and tries again; an unknown one, too', async t => {
      const run = await madeUp(t)
      const page = await browser.newPage()
      await page.route(/logs-.*\.js$/, async route => route.abort())
      await page.goto(run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      await page.getByText('could not be loaded').waitFor()
      await page.goto(run.url.replace(/#.*/, '#/nothing'))
      await page.getByText('There is no page “nothing”').waitFor()
    })

    await t.test('single keys can be switched off, and themes chosen; both are kept', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await page.keyboard.press('Tab')
      t.equal(await page.evaluate('document.activeElement.role'), 'grid', 'the table is one Tab away')
      await page.getByRole('link', {name: 'Skip to content'}).focus()
      await page.keyboard.press('Enter')
      t.equal(await page.evaluate('document.activeElement.id'), 'main', 'the first link skips the header')
      await page.keyboard.press('?')
      const dialog = page.getByRole('dialog')
      await dialog.getByText('Go to Logs').waitFor()
      await dialog.getByRole('checkbox', {name: 'Single keys work'}).uncheck()
      await dialog.getByLabel('Theme').selectOption('dark')
      await page.keyboard.press('Escape')
      await dialog.waitFor({state: 'hidden'})
      await page.reload()
      await page.getByRole('link', {name: 'payments'}).waitFor()
      t.equal(await page.evaluate('getComputedStyle(document.documentElement).colorScheme'), 'dark')
      await page.keyboard.press('?')
      await page.keyboard.press('p')
      t.equal(await page.getByRole('button', {name: 'Pause'}).getAttribute('aria-pressed'), 'false')
      t.equal(await dialog.count(), 0)
    })

    await t.test('shows calls as they end, while it is not paused', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await run.followed('calls')
      const latest = page.getByRole('region', {name: 'Latest calls'})
      run.send('calls', {calls: [call(1, {path: '/<b>'}), call(2, {status: 500, isFailed: true})], notShown: 0})
      await latest.getByText('GET /<b>').waitFor()
      await latest.getByText('✕ 500').waitFor()
      await page.keyboard.press('p')
      await page.getByRole('button', {name: 'Go on'}).waitFor()
      await page.keyboard.press('p')
      await run.followed('calls')
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t)
        run.apps = [app('payments', {state: 'exited', exitCode: 1, exit: 'exited with code 1'}), ...run.apps.slice(1)]
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
        t.same(await violations(page), [])
        await page.keyboard.press('?')
        await page.getByRole('dialog').waitFor()
        t.same(await violations(page), [])
      })
  })
)
