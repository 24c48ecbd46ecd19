import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, call, madeUp} from './made-up.ts'
import {crash, CRASHED, death, trouble} from './made-up-crash.ts'

const edge = (from: string, to: string, calls: number, failed: number): Api.Edge => ({
  from,
  to,
  calls,
  failed,
  waited: 0,
  requestBytes: 0,
  responseBytes: 0,
  p50Ms: 5,
  p95Ms: 65,
  p99Ms: 90,
  recent: {seconds: 60, calls, failed, p95Ms: 65}
})

/** A call with the body of its request. */
const sent = (number: number, body: string): Readonly<Record<string, unknown>> => ({
  ...call(number, {method: 'POST', path: '/charge'}),
  target: '/charge',
  request: {line: 'POST /charge HTTP/1.1', headers: [], body, encoding: 'utf8'},
  response: {line: '', headers: [], body: '', encoding: 'utf8'},
  isTruncated: false
})

const lineBy = (name: string): string =>
  `${JSON.stringify({time: null, app: name, stream: 'stdout', line: `by ${name}`})}\n`

t.test('the apps', async t =>
  withBrowser(t, async browser => {
    await t.test('troubles first, with their reason; figures of the calls; the latest line', async t => {
      const run = await madeUp(t)
      crash(run)
      run.answers['GET /logs'] =
        `${JSON.stringify({time: null, app: 'checkout', stream: 'stdout', line: 'cache \x1b[1mwarm'})}\n`
      const {page, troubles} = await open(browser, run.url)
      const rows = page.getByRole('grid', {name: 'Apps'}).getByRole('row')
      await rows.nth(1).getByText('exited 1').waitFor()
      await page.getByRole('region', {name: 'Trouble'}).getByText('POST /charge').waitFor()
      t.equal(await page.title(), '(1) Apps · shop · Pillion')
      await rows.filter({hasText: 'checkout'}).getByText('cache warm').waitFor()
      run.send('edges', {edges: [edge('checkout', 'payments', 756, 234)], waiting: {payments: 31}})
      const crashed = rows.filter({hasText: 'payments'})
      for (const text of ['12.6', '234 of 756']) await crashed.getByText(text, {exact: true}).waitFor()
      run.send('lines', {
        from: 0,
        to: 2,
        lines: [
          {time: null, app: 'payments', stream: 'stderr', line: 'TypeError'},
          {time: null, app: 'payments', stream: 'status', line: 'The App process exited with error code: 1'}
        ],
        notShown: 0
      })
      await crashed.getByText('TypeError: Cannot read the card').waitFor()
      run.send('app', app('payments'), 1001)
      run.send('troubles', {troubles: [trouble({isOver: true})]})
      await page.getByRole('region', {name: 'Trouble'}).getByText('over:').waitFor()
      await crashed.getByText('TypeError', {exact: true}).waitFor()
      run.send('troubles', {troubles: []})
      await page.getByRole('region', {name: 'Trouble'}).waitFor({state: 'detached'})
      t.same(troubles, [])
    })

    await t.test('filter by name and state; keys go through the table and open a row', async t => {
      const run = await madeUp(t)
      crash(run)
      const {page} = await open(browser, run.url)
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.getByRole('link', {name: 'checkout'}).waitFor()
      await page.getByRole('button', {name: '2 ready'}).click()
      await grid.getByRole('link', {name: 'payments'}).waitFor({state: 'detached'})
      await page.getByRole('button', {name: '2 ready'}).click()
      await page.keyboard.press('/')
      await page.keyboard.type('zzz')
      await page.getByText('No app matches').waitFor()
      await page.getByRole('link', {name: 'Show all'}).click()
      await grid.getByRole('link', {name: 'payments'}).waitFor()
      await grid.focus()
      await page.keyboard.press('End')
      await page.keyboard.press('k')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', {name: 'Apps / checkout'}).waitFor()
      t.match(page.url(), /#\/apps\/checkout$/)
      await page.goBack()
      await grid.waitFor()
      await page.keyboard.press('g')
      await page.keyboard.press('l')
      await page.getByRole('log').waitFor()
    })

    await t.test('one app: what killed it, and start again; not for who looks only', async t => {
      const run = await madeUp(t)
      crash(run)
      const {page} = await open(browser, run.url)
      await page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments'}).click()
      const killed = page.getByRole('region', {name: 'Last crash'})
      for (const text of [
        'exited with code 1',
        'charge.js',
        'in flight for 18 ms',
        'in flight at 2 of 3 earlier crashes',
        'answered 201'
      ])
        await killed.getByText(text).first().waitFor()
      await killed.getByText(/TypeError: card[^]*<script>1<\/script>/).waitFor()
      await page.getByText('<masked, 8 characters>').waitFor()
      const [answer] = await Promise.all([
        page.waitForResponse(/start$/),
        page.getByRole('main').getByRole('button', {name: 'Start'}).click()
      ])
      t.equal(answer.status(), 200)
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments'}).click()
      await killed.waitFor()
      t.equal(await page.getByRole('button', {name: 'Start'}).count(), 0)
    })

    await t.test('the call inside can be sent again, pinned, copied, compared with an answered one', async t => {
      const run = await madeUp(t)
      crash(run)
      run.answers['POST /pins'] = {pins: [{call: 48190, results: []}], rounds: []}
      run.answers['GET /calls/48190'] = sent(48190, '{"payment":null}')
      run.answers['GET /calls/48188'] = sent(48188, '{"payment":{"card":"4…"}}')
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments'}).click()
      const killed = page.getByRole('region', {name: 'Last crash'})
      const [inside, answered] = [killed.getByRole('row', {name: '48190'}), killed.getByRole('row', {name: '48188'})]
      await inside.getByRole('button', {name: 'Send again'}).waitFor()
      await inside.getByRole('button', {name: 'curl'}).waitFor()
      await inside.getByRole('button', {name: 'Pin'}).click()
      await inside.getByRole('button', {name: 'Pinned', pressed: true}).waitFor()
      await answered.getByRole('button', {name: 'Compare bodies'}).click()
      await killed.getByRole('group', {name: 'In flight when it crashed'}).getByText('null').waitFor()
      await killed.getByRole('group', {name: 'Answered before'}).getByText('4…').waitFor()
      t.same(await violations(page), [])
      await answered.getByRole('button', {name: 'Compare bodies', expanded: true}).click()
      await killed.getByRole('group', {name: 'Answered before'}).waitFor({state: 'detached'})
      t.same(troubles, [])
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments'}).click()
      await inside.getByRole('button', {name: 'curl'}).waitFor()
      t.equal(await killed.getByRole('button', {name: /Send again|Pin/}).count(), 0)
    })

    await t.test('what apps say is text: in ids, paths, reasons, values', async t => {
      const run = await madeUp(t)
      const evil = '<img src=x onerror="document.title=1">\u202eevil\x1b]0;x\x07'
      run.apps = [app('<b>shop', {state: 'running', isReady: false, command: evil})]
      run.answers['GET /apps/%3Cb%3Eshop/why'] = {
        app: '<b>shop',
        instances: [{name: 'x', isReady: false, reason: `it said ${evil}`}],
        death: death({
          inside: [{...call(1, {path: `/${evil}`}), forMs: 1, count: 1, times: 0}],
          lines: [evil],
          files: [evil]
        }),
        deaths: 1
      }
      run.answers['GET /apps/%3Cb%3Eshop/deaths'] = {deaths: []}
      run.answers['GET /pins'] = {pins: [], rounds: []}
      run.answers['GET /apps/%3Cb%3Eshop/environment'] = {folder: evil, command: [evil], variables: [[evil, evil]]}
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: '<b>shop'}).click()
      await page.getByText('GET /<img src=x onerror="document.title=1">[U+202E]evil').first().waitFor()
      await page.getByText('it said <img').waitFor()
      await page.getByText('[U+202E]').nth(4).waitFor()
      t.equal(await page.locator('main img, main b:text-is("shop")').count(), 0)
      t.match(await page.title(), /Apps/)
      t.same(troubles, [])
    })

    await t.test('an app that is not there: a near one; what cannot be done is said', async t => {
      const run = await madeUp(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      await page.goto(run.url.replace(/#.*/, '#/apps/payment'))
      await page.getByText('The run has no app “payment”').waitFor()
      t.same(await violations(page), [])
      await page.getByRole('main').getByRole('link', {name: 'payments'}).click()
      await page.getByRole('button', {name: 'Restart'}).click()
      await page.getByRole('alert').getByText('there is no /apps/payments/restart. Look elsewhere.').waitFor()
    })

    await t.test('an instance or a version has own facts, exits and lines; a service needs no version', async t => {
      const run = await madeUp(t)
      run.apps = [app('shop'), app('shop', {instance: 2}), app('bank', {version: '1.2.0'})]
      for (const name of ['shop', 'shop.1', 'shop.2', 'bank', 'bank@1.2.0']) {
        const of = `GET /apps/${encodeURIComponent(name)}`
        run.answers[`${of}/environment`] = {folder: `/of/${name}`, command: [], variables: []}
        run.answers[`${of}/why`] = {app: name, instances: [], stalled: [], death: null, deaths: 0}
        run.answers[`${of}/deaths`] = {deaths: [{...death(), name, exit: `${name} ended`}]}
        run.answers[`${of}/docs`] = {path: ''}
      }
      run.answers['GET /logs'] = (_body, query) =>
        lineBy(query.get('app') === 'shop.2' ? 'shop.2' : query.has('app') ? 'bank' : 'shop')
      const {page} = await open(browser, run.url)
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.getByText('by shop.2').waitFor()
      await grid.getByRole('link', {name: 'shop.2'}).click()
      await page.getByText('/of/shop.2').waitFor()
      await page.getByText('shop.2 ended').waitFor()
      t.equal(await page.getByText('shop ended').count(), 0)
      await page.getByRole('main').getByRole('link', {name: 'Logs'}).click()
      t.match(page.url(), /#\/logs\?app=shop\.2$/)
      await page.goto(page.url().replace(/#.*/, '#/apps/bank'))
      await page.getByRole('heading', {name: 'Apps / bank@1.2.0'}).waitFor()
      await page.getByText('/of/bank@1.2.0').waitFor()
      await page.goto(page.url().replace(/#.*/, '#/apps/shop'))
      await page.getByText('/of/shop.1').waitFor()
      t.ok(run.asked.includes('GET /apps/shop.1%400.0.0/why'), 'another version may be the main one')
    })

    await t.test('of versions each row has its own line, and the error of the one that is down', async t => {
      const run = await madeUp(t)
      crash(run)
      run.apps = [
        {...CRASHED, version: '1.0.0', isMain: false},
        app('payments', {version: '2.0.0'}),
        {...CRASHED, version: '3.0.0', isMain: false},
        app('checkout', {version: '1.0.0', isMain: false}),
        app('checkout', {version: '2.0.0'}),
        app('order-processor')
      ]
      const calls = {
        key: 'calls order-processor',
        kind: 'calls',
        app: 'order-processor',
        version: '',
        name: 'order-processor'
      } as const
      run.troubles = [
        trouble({version: '1.0.0'}),
        trouble({version: '3.0.0', key: 'exit payments 4', error: 'no bank'}),
        trouble({...calls, isBad: false, error: 'the call took too long'})
      ]
      run.answers['GET /logs'] = ['payments_2.0.0', 'checkout_1.0.0', 'checkout'].map(lineBy).join('')
      const {page} = await open(browser, run.url)
      const rows = page.getByRole('grid', {name: 'Apps'}).getByRole('row')
      const row = (name: string) => rows.filter({has: page.getByRole('link', {name, exact: true})})
      await row('payments@1.0.0').getByText('TypeError: Cannot read the card').waitFor()
      await row('payments@3.0.0').getByText('no bank').waitFor()
      // it is ready, and yet calls of it fail
      await row('order-processor').getByText('the call took too long').waitFor()
      await row('payments@2.0.0').getByText('by payments_2.0.0').waitFor()
      await row('checkout@1.0.0').getByText('by checkout_1.0.0').waitFor()
      await row('checkout@2.0.0').getByText('by checkout', {exact: true}).waitFor()
      // copies of calls for a shadow name its version
      const edges = [edge('checkout', 'payments', 756, 234), edge('mirror', 'payments@1.0.0', 10, 3)]
      run.send('edges', {edges, waiting: {}})
      await row('payments@2.0.0').getByText('234 of 756').waitFor()
      t.match(await row('payments@1.0.0').locator('.failed').innerText(), '3 of 10')
      t.equal(await row('payments@3.0.0').locator('.failed').innerText(), '–')
      const link = page.getByRole('region', {name: 'Trouble'}).getByRole('link', {name: 'payments', exact: true})
      t.equal(await link.first().getAttribute('href'), '#/apps/payments%401.0.0')
    })

    await t.test('a key that is held down acts once', async t => {
      const run = await madeUp(t)
      run.answers['POST /apps/payments/stop'] = {apps: []}
      const {page} = await open(browser, run.url)
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.getByRole('link', {name: 'payments'}).waitFor()
      await grid.focus()
      while (!(await grid.locator('.row.active').innerText()).includes('payments')) await page.keyboard.press('j')
      for (let times = 0; times < 3; times++) await page.keyboard.down('s')
      await page.keyboard.up('s')
      for (let times = 0; times < 3; times++) await page.keyboard.down('p')
      await page.keyboard.up('p')
      await page.getByRole('button', {name: 'Resume'}).waitFor()
      t.equal(run.asked.filter(each => each.startsWith('POST')).length, 1)
    })

    await t.test('what is announced twice is read aloud twice', async t => {
      const run = await madeUp(t)
      for (const name of ['shop', 'payments']) run.answers[`POST /apps/${name}/restart`] = {apps: []}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).click()
      const heard: string[] = []
      let isHeard = Promise.withResolvers<void>()
      await page.exposeFunction('heard', (text: string) => {
        heard.push(text.trim())
        isHeard.resolve()
      })
      await page.evaluate(
        "new MutationObserver(([{target}]) => heard(target.textContent)).observe(document.querySelector('p[role=status]'), {subtree: true, childList: true, characterData: true})"
      )
      for (const times of [1, 2]) {
        await page.getByRole('button', {name: 'Restart'}).click()
        await Promise.race([isHeard.promise, page.waitForTimeout(10_000)])
        t.equal(heard.length, times)
        isHeard = Promise.withResolvers()
      }
      t.same(heard, ['restart payments', 'restart payments'])
    })

    await t.test('the last app is not stopped without a question', async t => {
      const run = await madeUp(t)
      run.apps = [app('payments'), app('checkout', {state: 'stopped', isReady: false})]
      run.answers['POST /apps/payments/stop'] = {apps: []}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'payments'}).click()
      await page.getByRole('button', {name: 'Stop …'}).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByText('the run ends with it').waitFor()
      t.same(await dialog.getByRole('button').allTextContents(), ['End the run', 'Cancel'])
      await dialog.getByRole('button', {name: 'Cancel'}).click()
      await dialog.waitFor({state: 'hidden'})
      t.notOk(run.asked.includes('POST /apps/payments/stop'))
      await page.getByRole('button', {name: 'Stop …'}).click()
      const [answer] = await Promise.all([
        page.waitForResponse(/stop$/),
        dialog.getByRole('button', {name: 'End the run'}).click()
      ])
      t.equal(answer.status(), 200)
    })

    await t.test('200 apps: the one that is down first, and few rows in the document', async t => {
      const run = await madeUp(t)
      const names = Array.from({length: 200}, (_, i) => `app-${i}`)
      run.apps = [
        ...names.slice(1).map(id => app(id)),
        app('app-0', {state: 'backoff', isReady: false, exitCode: 1, exit: 'exited with code 1'})
      ]
      const {page} = await open(browser, run.url)
      await page.getByText('199/200 ready').waitFor()
      const grid = page.getByRole('grid', {name: 'Apps'})
      t.match(await grid.getByRole('row').nth(1).innerText(), /^app-0/)
      t.equal(await grid.getAttribute('aria-rowcount'), '201')
      t.ok((await grid.getByRole('row').count()) < 60)
      await grid.focus()
      await page.keyboard.press('End')
      await grid.getByRole('link', {name: 'app-199'}).waitFor()
      t.same(await violations(page), [])
      await page.keyboard.press('Home')
      await grid.getByRole('link', {name: 'app-0', exact: true}).click()
      await page.getByRole('heading', {name: 'Apps / app-0'}).waitFor()
    })

    await t.test('320 px are enough', async t => {
      const run = await madeUp(t)
      crash(run)
      const {page} = await open(browser, run.url, 'light', {width: 320, height: 640})
      await page.getByRole('grid', {name: 'Apps'}).getByRole('link', {name: 'payments'}).waitFor()
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320)
      await page.getByRole('grid', {name: 'Apps'}).getByRole('link', {name: 'payments'}).click()
      await page.getByRole('region', {name: 'Last crash'}).waitFor()
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320)
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`break no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t)
        crash(run)
        run.apps = [...run.apps, app('mail', {state: 'idle', isReady: false, waitsFor: ['checkout']})]
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('grid', {name: 'Apps'}).getByRole('link', {name: 'payments'}).waitFor()
        t.same(await violations(page), [])
        await page.getByRole('grid', {name: 'Apps'}).getByRole('link', {name: 'payments'}).click()
        await page.getByText('<masked, 8 characters>').waitFor()
        t.same(await violations(page), [])
      })
  })
)
