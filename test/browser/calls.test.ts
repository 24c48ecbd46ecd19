import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {laidOut, open, violations, withBrowser} from './browser.ts'
import {detail, replayed, runWithCalls} from './made-up-calls.ts'
import {trouble} from './made-up-crash.ts'
import {call, callDetail, madeUp, treeNode} from './made-up.ts'

/** The calls with these numbers, the latest first. */
const some = (from: number, to: number): readonly Api.Call[] =>
  Array.from({length: to - from + 1}, (_, n) => call(to - n))

t.test('the calls between apps', async t =>
  withBrowser(t, async browser => {
    await t.test('the latest first, further ones as they end; a filter and its chips', async t => {
      const run = await runWithCalls(t)
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls'}).click()
      const grid = page.getByRole('grid', {name: 'Calls', exact: true})
      await grid.getByRole('row', {name: /PUT \/refunds ✕ 500 .* ⚡ fault/}).waitFor()
      await grid
        .getByRole('row', {name: /GET \/orders\/7 200 412 ms .* ↻ waited 400 ms: "payments" is being reloaded/})
        .waitFor()
      await grid.getByText('/<b>[U+202E]').waitFor()
      await run.followed('calls')
      run.send('calls', {calls: [call(9, {path: '/new'})], notShown: 12})
      await grid.getByText('GET /new').waitFor()
      await page.getByText('4 of 9').waitFor()
      await page.getByRole('button', {name: 'failed', exact: true}).click()
      await page.getByText('1 shown').waitFor()
      t.match(page.url(), /q=is%3Afailed/)
      t.equal(await page.getByRole('button', {name: 'failed', exact: true}).getAttribute('aria-pressed'), 'true')
      await page.getByRole('button', {name: 'failed', exact: true}).click()
      await grid.getByText('GET /orders/7').waitFor()
      await page.getByRole('button', {name: 'Clear'}).click()
      await page.getByText('No call matches.').waitFor()
      await page.getByRole('button', {name: 'Show all'}).click()
      await grid.getByText('GET /orders/7').waitFor()
      t.same(troubles, [])
    })

    await t.test('calls that come while the run is asked for those of a filter are listed, too', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url)
      const matching = [call(1)]
      let hold: ((goOn: () => void) => void) | undefined
      await page.route(/q=to%3Apayments\+is%3Aopen/, async route => route.fulfill({json: {last: 3, calls: []}}))
      await page.route(/q=to%3Apayments&/, async route => {
        const json = {last: matching.length, calls: matching.toReversed()}
        const held = hold
        hold = undefined
        if (held !== undefined) await new Promise<void>(held)
        await route.fulfill({json})
      })
      const come = (number: number): void => {
        matching.push(call(number))
        run.send('calls', {calls: [call(number)], notShown: 0})
      }
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      await page.getByRole('searchbox', {name: 'Filter calls'}).fill('to:payments')
      await page.getByText('1 shown').waitFor()
      await run.followed('calls')
      const late = new Promise<() => void>(resolve => (hold = resolve))
      come(2)
      const goOn = await late
      come(3)
      // by then the page would ask again
      await page.waitForTimeout(800)
      goOn()
      await page.getByText('3 shown').waitFor()
    })

    await t.test('what was wrong with a filter is not said of the next one', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      const wrong = JSON.stringify({status: 400, detail: 'the filter status:9xx names no status', hint: ''})
      await page.route(/q=status/, async route => route.fulfill({status: 400, body: wrong}))
      const filter = page.getByRole('searchbox', {name: 'Filter calls'})
      await filter.fill('status:9xx')
      await page.getByRole('alert').getByText('names no status').waitFor()
      await page.route(/q=to/, async route => route.abort())
      await filter.fill('to:payments')
      await page.getByRole('alert').waitFor({state: 'detached'})
      t.equal(await filter.getAttribute('aria-invalid'), 'false')
    })

    await t.test('what was cleared in one run hides nothing of the next', async t => {
      const key = Buffer.alloc(32, 1)
      const run = await madeUp(t, {key})
      run.answers['GET /calls'] = {last: 9, calls: [call(9)]}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid').getByText('GET /orders/7').waitFor()
      await page.getByRole('button', {name: 'Clear'}).click()
      await page.getByText('No call matches.').waitFor()
      run.cut()
      run.close()
      const next = await madeUp(t, {run: 'b'.repeat(32), port: Number(new URL(run.url).port), key})
      next.restart()
      next.answers['GET /calls'] = {last: 1, calls: [call(1, {path: '/next'})]}
      await page.getByRole('grid').getByText('GET /next').waitFor()
      t.ok(await page.getByText('1 shown').isVisible())
    })

    await t.test('calls that are missing from the list are counted, whatever the reason', async t => {
      const run = await madeUp(t)
      run.answers['GET /calls'] = {last: 20, calls: some(1, 20)}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      await page.getByText('20 shown', {exact: true}).waitFor()
      await page.getByRole('button', {name: 'Pause'}).click()
      run.answers['GET /calls'] = {last: 1020, calls: some(721, 1020)}
      await page.getByRole('button', {name: 'Resume'}).click()
      await page.getByText('320 of 1,020').waitFor()
      await page.getByRole('grid').focus()
      await page.keyboard.press('End')
      await page.getByRole('gridcell', {name: '↓ 700 calls not shown'}).waitFor()
      run.answers['GET /calls'] = {last: 7000, calls: some(1021, 7000)}
      await page.getByRole('button', {name: 'Pause'}).click()
      await page.getByRole('button', {name: 'Resume'}).click()
      await page.getByText('5,000 of 7,000').waitFor()
      await page.getByRole('button', {name: 'Clear'}).click()
      await page.getByText('0 shown', {exact: true}).waitFor()
      t.pass('it is said')
    })

    await t.test('a call under way is shown, and then how it ended', async t => {
      const run = await runWithCalls(t)
      const open6 = call(6, {isOpen: true, status: 0, waitedFor: ['"payments" is being reloaded'], waitedMs: 2300})
      let isOpen = true
      run.answers['GET /calls'] = (_body, query) => {
        if (query.get('q')?.includes('is:open') === true) return {last: 6, calls: isOpen ? [open6] : []}
        return {last: 6, calls: [isOpen ? open6 : call(6, {path: '/slow'})]}
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      const grid = page.getByRole('grid', {name: 'Calls', exact: true})
      await grid.getByRole('row', {name: /… under way .* ↻ waited 2\.3 s: "payments" is being reloaded/}).waitFor()
      isOpen = false
      await grid.getByRole('row', {name: /GET \/slow 200/}).waitFor()
      t.equal(await grid.getByText('under way').count(), 0)
    })

    await t.test('many calls under way are asked for at once', async t => {
      const run = await runWithCalls(t)
      const all = some(1, 60).map(each => ({...each, isOpen: true, status: 0}))
      const asked: string[] = []
      run.answers['GET /calls'] = (_body, query) => {
        asked.push(query.get('before') === null ? (query.get('q') ?? '').trim() : 'one')
        return {last: 60, calls: query.get('before') === null ? all.slice(0, Number(query.get('limit'))) : []}
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      await page.getByText('60 shown').waitFor()
      for (let n = 0; n < 2; n++) await page.waitForResponse(/is%3Aopen/)
      t.notOk(asked.includes('one'))
      t.ok(asked.includes('is:open'))
    })

    await t.test('a call: times, request and answer as text, lines meanwhile, its trace', async t => {
      const run = await runWithCalls(t)
      run.answers['GET /logs'] = [
        {time: '2026-01-31T14:46:45.900Z', app: 'payments', stream: 'stdout', line: 'too early'},
        {time: '2026-01-31T14:46:45.990Z', app: 'payments', stream: 'stdout', line: 'meanwhile'},
        {time: '2026-01-31T14:46:49.000Z', app: 'payments', stream: 'stdout', line: 'too late'}
      ]
        .map(line => `${JSON.stringify(line)}\n`)
        .join('')
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('GET /orders/7').click()
      t.match(page.url(), /#\/calls\/7/)
      await page.getByRole('heading', {name: 'Calls / 7'}).waitFor()
      const panel = page.getByRole('main')
      const timing = panel.getByRole('list', {name: 'Timing'})
      await timing.getByText('held 400 ms').waitFor()
      await timing.getByText('connect 0.4 ms').waitFor()
      await timing.getByText('receiving 1.0 ms').waitFor()
      await panel.getByText('GET /orders/7 HTTP/1.1, 1 headers').click()
      await panel.getByText('authorization: <masked, 10 characters>').waitFor()
      await panel.getByText('"<img src=x onerror=alert(1)>"').waitFor()
      t.equal(await panel.locator('img').count(), 0)
      await panel.getByText('Lines of checkout and payments meanwhile').click()
      const lines = panel.getByLabel('Lines', {exact: true}).filter({hasText: 'payments meanwhile'})
      await lines.waitFor()
      t.match(await lines.innerText(), /^\S+ payments meanwhile\s*$/)
      const steps = panel.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
      await steps.first().waitFor()
      t.equal(await steps.count(), 3)
      await laidOut(page)
      t.match(await steps.last().innerText(), /GET \/<b>\[U\+202E\]\s+200, likely \(50 %, 1 of 2\)/)
      const failure = panel.getByRole('region', {name: 'Failure'})
      await failure.getByRole('link', {name: /checkout → payments GET/}).waitFor()
      await failure.getByText('no <money>', {exact: true}).waitFor()
      t.match(await steps.nth(1).innerText(), /payments no <money> \(or for another of its 3 requests\)/)
      t.equal(await panel.getByText('got an order').count(), 0)
      t.match(await steps.nth(1).locator('.note').innerText(), /^✕ \d+$/, 'the status alone: the card has the error')
      const request = {number: 7, from: 'checkout', method: 'GET', path: '/orders/7', ms: 1, status: '500'}
      run.send('troubles', {
        troubles: [
          trouble({request, text: 'told above'}),
          trouble({key: 'other', app: 'mail', name: 'mail', text: 'told here'})
        ]
      })
      const strip = page.getByRole('region', {name: 'Trouble'})
      await strip.getByText('told here').waitFor()
      t.equal(await strip.getByText('told above').count(), 0, 'a page about a problem has no strip about it')
      await panel.getByLabel('all log lines (2)').check()
      await laidOut(page)
      t.match(await steps.first().innerText(), /checkout got an order/)
      await page.keyboard.press('Escape')
      await page.getByRole('grid', {name: 'Calls', exact: true}).waitFor()
      t.same(troubles, [])
    })

    await t.test('the whole request of a call under way is followed until its end, also after an error', async t => {
      const run = await runWithCalls(t)
      let isOpen = true
      const now = (): Api.Call => call(7, isOpen ? {isOpen: true, status: 0} : {status: 500, isFailed: true})
      run.answers['GET /calls/7'] = () => ({...callDetail(now())})
      const answer = () => ({
        asked: 1,
        failedAt: null,
        leftOut: 0,
        lines: [],
        linesLeftOut: 0,
        nodes: [treeNode(now(), {id: 1, outcome: isOpen ? 'under way' : '500'})]
      })
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      delete run.answers['GET /trace']
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      await page.getByText('there is no /trace').waitFor()
      run.answers['GET /trace'] = answer
      await page.keyboard.press('Escape')
      await page.getByRole('heading', {name: 'Calls', exact: true}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      const steps = page.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
      await steps.getByText('under way').waitFor()
      isOpen = false
      await steps.getByText('500').waitFor()
      t.equal(await steps.getByText('under way').count(), 0)
    })

    await t.test('an open request has ended among more calls than are shown, and stays when the run ends', async t => {
      const run = await runWithCalls(t)
      let isOpen = true
      const now = (): Api.Call => call(7, isOpen ? {isOpen: true, status: 0} : {at: new Date().toISOString()})
      run.answers['GET /calls/7'] = () => ({...callDetail(now())})
      run.answers['GET /trace'] = () => ({
        asked: 7,
        failedAt: null,
        leftOut: 0,
        lines: [],
        linesLeftOut: 0,
        nodes: [treeNode(now(), {outcome: isOpen ? 'under way' : '200'})]
      })
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
      const head = page.getByRole('main').locator('.tools').first()
      await head.getByText('… under way').waitFor()
      await run.followed('calls')
      isOpen = false
      run.send('calls', {calls: [call(8)], notShown: 300})
      await head.getByText('200 after').waitFor()
      const steps = page.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
      await steps.getByText('200').waitFor()
      run.send('bye', {}, 2000) // a page that changes what it follows gets the event at its next connection
      await page.getByText('The run has ended').first().waitFor()
      const asked = page.waitForEvent('requestfailed', request => request.url().includes('/trace'))
      run.cut()
      run.close()
      await asked
      await page.getByText('The run has ended').first().waitFor()
      t.equal(await steps.count(), 1, 'what was known')
      t.equal(await page.getByText('the run does not answer').count(), 0)
    })

    await t.test('a click on a head sorts; the address keeps it; rows are calls or whole requests', async t => {
      const run = await runWithCalls(t)
      run.answers['GET /requests'] = {requests: [{...call(7, {totalMs: 412}), calls: 7, failedCalls: 2}]}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls'}).click()
      const grid = page.getByRole('grid', {name: 'Calls', exact: true})
      const paths = async (): Promise<readonly string[]> => grid.locator('.rows .request').allInnerTexts()
      await grid.getByText('GET /orders/7').waitFor()
      await grid.getByRole('button', {name: 'Duration'}).click()
      t.equal((await paths())[0], 'GET /orders/7')
      t.match(page.url(), /sort=-took/)
      t.equal(await grid.getByRole('columnheader', {name: /Duration/}).getAttribute('aria-sort'), 'descending')
      await page.keyboard.press('Enter')
      t.equal((await paths()).at(-1), 'GET /orders/7')
      t.equal(await grid.getByRole('columnheader', {name: /Duration/}).getAttribute('aria-sort'), 'ascending')
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Enter')
      t.equal((await paths())[0], 'GET /<b>[U+202E]', 'by what was asked')
      await page.getByRole('button', {name: 'requests'}).click()
      const requests = page.getByRole('grid', {name: 'Requests', exact: true})
      await requests.getByRole('row', {name: /GET \/orders\/7 200 412 ms .* 7 calls · ✕ 2 failed/}).waitFor()
      t.match(page.url(), /as=requests$/)
      t.equal(await requests.getByRole('row').count(), 2)
      t.same(await violations(page), [])
    })

    await t.test('a body of bytes, one that is no JSON, a call that is no longer kept', async t => {
      const run = await runWithCalls(t)
      const body = Buffer.from([0, 255, 65]).toString('base64')
      run.answers['GET /calls/7'] = {
        ...detail(7, {response: {line: 'HTTP/1.1 200 OK', headers: [], body, encoding: 'base64'}})
      }
      run.answers['GET /calls/6'] = {
        ...detail(6, {response: {line: 'HTTP/1.1 200 OK', headers: [], body: '{"broken": \x1b[31m', encoding: 'utf8'}})
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${page.url()}#/calls/7`)
      await page.getByText('000000 00 ff 41').waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/calls/6`)
      await page.getByText('{"broken": ␛[31m').waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/calls/5`)
      await page.getByText('there is no /calls/5').waitFor()
    })

    await t.test('send again, with a question where it may change something; curl; pin', async t => {
      const run = await runWithCalls(t)
      const bodies: string[] = []
      run.answers['POST /calls/7/replay'] = body => (bodies.push(body), replayed())
      run.answers['GET /calls/8'] = {...detail(8, {method: 'PUT', path: '/refunds'})}
      run.answers['POST /calls/8/replay'] = body => (bodies.push(body), replayed({call: 8, method: 'PUT'}))
      run.answers['GET /calls.curl'] = 'curl -sS http://127.0.0.1:41001/'
      run.answers['POST /pins'] = {pins: [{call: 7}], rounds: []}
      const {page} = await open(browser, run.url)
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.getByRole('link', {name: 'Calls'}).click()
      const grid = page.getByRole('grid', {name: 'Calls', exact: true})
      await grid.getByText('GET /orders/7').click()
      await page.getByRole('button', {name: 'Send again'}).click()
      const result = page.getByRole('group', {name: 'Sent again'})
      await result.getByText('500 → 200').waitFor()
      await result.getByRole('row', {name: 'order.total 12.5 25'}).waitFor()
      await result.getByText('Left out, because it differs each time: at').waitFor()
      await page.keyboard.press('m')
      await page.getByRole('button', {name: 'Pinned'}).waitFor()
      await page.keyboard.press('c')
      await page.getByRole('status').getByText('Copied').waitFor()
      t.match(await page.evaluate('navigator.clipboard.readText()'), /^curl -sS/)
      await page.keyboard.press('Escape')
      await grid.getByText('PUT /refunds').click()
      await page.getByRole('button', {name: 'Send again'}).waitFor()
      await page.keyboard.press('r')
      await page
        .getByRole('dialog', {name: /^Send PUT \/refunds again/})
        .getByRole('button', {name: 'Cancel'})
        .click()
      await page.getByRole('button', {name: 'Send again'}).click()
      await page.getByRole('button', {name: 'Send it'}).click()
      await result.waitFor()
      t.same(bodies, ['{"unsafe":false}', '{"unsafe":true}'])
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('GET /orders/7').click()
      await page.getByRole('button', {name: 'curl'}).waitFor()
      t.equal(await page.getByRole('button', {name: /[Ss]end|Pin/}).count(), 0, 'not for who looks only')
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await runWithCalls(t)
        run.answers['POST /calls/7/replay'] = replayed()
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('link', {name: 'Calls'}).click()
        await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('GET /orders/7').click()
        await page.getByRole('button', {name: 'Send again'}).click()
        await page.getByRole('group', {name: 'Sent again'}).waitFor()
        await page.getByRole('list', {name: 'Calls of the request'}).waitFor()
        t.same(await violations(page), [])
      })
  })
)
