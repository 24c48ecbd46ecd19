import type {Page} from 'playwright-core'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, call, madeUp} from './made-up.ts'

/** From now on the page does not try again by itself. */
const stopClock = async ({clock}: Page): Promise<void> => {
  await clock.install()
  await clock.pauseAt(Date.now() + 1000)
}

const see = async (page: Page, isSeen: boolean): Promise<void> =>
  page.evaluate(`window.isAside = ${!isSeen}; document.dispatchEvent(new Event('visibilitychange'))`)

const payments = (page: Page) => page.getByRole('link', {name: 'payments'})

const isRefused = async (page: Page) => page.getByText('This page may not ask the run').waitFor()

const canRestart = async (page: Page): Promise<boolean> => {
  await payments(page).waitFor()
  return page.getByRole('button', {name: 'Restart payments'}).isVisible()
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

    await t.test('a tab stays read-only, or not, when it is loaded again, whatever another tab is', async t => {
      const run = await madeUp(t)
      const context = await browser.newContext()
      const [reads, changes] = [await context.newPage(), await context.newPage()]
      await reads.goto(run.readOnlyUrl)
      t.notOk(await canRestart(reads))
      await changes.goto(run.url)
      t.ok(await canRestart(changes))
      await reads.reload()
      t.notOk(await canRestart(reads))
      await reads.goto('about:blank')
      await reads.goto(run.readOnlyUrl)
      t.notOk(await canRestart(reads))
      await changes.reload()
      t.ok(await canRestart(changes))
      const another = await context.newPage()
      await another.goto(run.url.replace(/#.*/, ''))
      t.notOk(await canRestart(another), 'one without a token has the latest')
      await context.close()
    })

    await t.test('a tab without a token that is taken has the latest one when it is loaded again', async t => {
      const run = await madeUp(t)
      const context = await browser.newContext()
      const [early, old, latest] = [await context.newPage(), await context.newPage(), await context.newPage()]
      await early.goto(run.url.replace(/#.*/, ''))
      await isRefused(early)
      await old.goto(run.url.replace(/#.*/, '#t=of-a-key-that-is-gone'))
      await isRefused(old)
      await latest.goto(run.url)
      await payments(latest).waitFor()
      await early.reload()
      t.ok(await canRestart(early))
      await old.reload()
      t.ok(await canRestart(old))
      await context.close()
    })

    await t.test('says what to do without a token', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url.replace(/#.*/, ''))
      await page.getByText('pillion dashboard').waitFor()
      t.same(run.asked, [])
      await page.goto(run.url) // in the same tab: the browser changes the address alone
      await payments(page).waitFor()
      t.equal(page.url(), run.url.replace(/#.*/, ''))
    })

    await t.test('shows the run in a browser that has no requestIdleCallback, as Safari', async t => {
      const run = await madeUp(t)
      const page = await browser.newPage()
      await page.addInitScript('delete window.requestIdleCallback')
      const late = page.waitForResponse(/\/rest-.*\.js$/)
      await page.goto(run.url)
      await payments(page).waitFor()
      await late
      t.equal(await page.getByRole('region', {name: 'Connection'}).count(), 0)
    })

    await t.test('shows the run in a browser that keeps nothing for it, as Firefox without cookies', async t => {
      const run = await madeUp(t)
      const {page, troubles} = await open(browser, 'about:blank')
      await page.addInitScript(`
        const refuse = () => { throw new DOMException('The operation is insecure.', 'SecurityError') }
        for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get: refuse})
        window.BroadcastChannel = class { constructor() { refuse() } }
      `)
      await page.goto(run.url)
      await payments(page).waitFor()
      await see(page, false)
      await see(page, true)
      t.same(troubles, [])
    })

    await t.test('finds what is typed where the browser refuses that many addresses, as Safari', async t => {
      const run = await madeUp(t)
      const {page, troubles} = await open(browser, run.url)
      await payments(page).waitFor()
      await page.evaluate(`
        window.replace = history.replaceState
        history.replaceState = () => { throw new DOMException('more than 100 times per 10 seconds', 'SecurityError') }
      `)
      await page.getByRole('searchbox').first().fill('no-such-app')
      await payments(page).waitFor({state: 'detached'})
      await page.evaluate('history.replaceState = window.replace')
      await page.waitForURL(/q=no-such-app$/)
      t.same(troubles, [])
    })

    await t.test('goes on after a loss, and with the next run', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await stopClock(page)
      run.send('bye', {}, 1001)
      await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').waitFor()
      run.isDown = true
      run.cut()
      t.ok(await page.getByRole('link', {name: 'payments'}).isVisible(), 'what was known stays')
      run.apps = [app('shipping')]
      run.restart()
      await page.getByRole('button', {name: 'Now'}).click()
      await page.getByRole('link', {name: 'shipping'}).waitFor()
      t.equal(await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').count(), 0)
    })

    await t.test('twelve tabs: the one that is seen works, and so does the first when it is seen again', async t => {
      const run = await madeUp(t)
      run.answers['POST /apps/payments/restart'] = {apps: []}
      const context = await browser.newContext()
      const tab = async (isHidden: boolean): Promise<Page> => {
        const page = await context.newPage()
        // all pages of a browser without a screen are seen
        await page.addInitScript(`window.isAside = ${isHidden}
          Object.defineProperty(document, 'hidden', {get: () => window.isAside})`)
        await page.goto(run.url)
        return page
      }
      const first = await tab(false)
      await payments(first).waitFor()
      const behind = []
      for (let n = 0; n < 5; n++) behind.push(await tab(true)) // as with the middle button
      let seen = first
      for (let n = 0; n < 6; n++) {
        await see(seen, false)
        seen = await tab(false)
        await payments(seen).waitFor()
      }
      await see(seen, false)
      run.apps = [app('payments'), app('shipping')]
      run.send('app', app('shipping'), 1001)
      await see(first, true)
      await first.getByRole('link', {name: 'shipping'}).waitFor()
      const restarted = first.waitForResponse(/payments.restart$/)
      await first.getByRole('button', {name: 'Restart payments'}).click()
      t.equal((await restarted).status(), 200)
      for (const page of behind) {
        await see(first, false)
        await see(page, true)
        await payments(page).waitFor()
        await see(page, false)
      }
      await context.close()
    })

    await t.test('a request without an answer is given up, and that is said', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await page.route('**/restart', () => undefined) // it is never sent
      await page.clock.install()
      await page.getByRole('button', {name: 'Restart payments'}).click()
      await page.clock.runFor(121_000)
      await page.getByText('the run has not answered for 120 s. Close other tabs').waitFor()
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
      await page.route(/rest-.*\.js$/, async route => route.abort())
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
      await dialog.getByRole('checkbox', {name: 'Keyboard shortcuts on'}).uncheck()
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
      const latest = page.getByRole('grid', {name: 'Latest calls'})
      run.send('calls', {calls: [call(1, {path: '/<b>'}), call(2, {status: 500, isFailed: true})], notShown: 0})
      await latest.getByText('GET /<b>').waitFor()
      await latest.getByText('✕ 500').waitFor()
      await page.keyboard.press('p')
      await page.getByRole('button', {name: 'Resume'}).waitFor()
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
