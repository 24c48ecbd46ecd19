import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {call, callDetail, madeUp, treeNode, type MadeUp} from './made-up.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

const detail = (number: number, more: Partial<Api.CallDetail> = {}): Api.CallDetail => ({
  ...call(number),
  waitedMs: 400,
  waitedFor: ['"payments" is being reloaded'],
  connectMs: 0.4,
  firstByteMs: 411,
  totalMs: 412,
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  target: '/v1.0/invoke/payments/method/orders/7',
  request: {
    line: 'GET /orders/7 HTTP/1.1',
    headers: [['authorization', '<masked, 10 characters>']],
    body: '',
    encoding: 'utf8'
  },
  response: {
    line: 'HTTP/1.1 200 OK',
    headers: [['content-type', 'application/json']],
    body: '{"order":{"total":12.5,"note":"<img src=x onerror=alert(1)>"},"items":[1,2]}',
    encoding: 'utf8'
  },
  isTruncated: false,
  ...more
})

const replayed = (more: Partial<Api.Replay> = {}): Readonly<Record<string, unknown>> => ({
  call: 7,
  from: 'checkout',
  to: 'payments',
  method: 'GET',
  path: '/orders/7',
  replay: 9,
  before: {status: 500, type: '', bytes: 0, ms: 18, failure: ''},
  after: {status: 200, type: 'application/json', bytes: 10, ms: 4, failure: ''},
  differences: [
    {what: 'status', path: '', before: '500', after: '200'},
    {what: 'body', path: 'order.total', before: '12.5', after: '25'}
  ],
  differ: 2,
  leftOut: ['at'],
  refusal: '',
  hint: '',
  ...more
})

const lineOf = (app: string, line: string): Api.Line => ({
  time: '2026-01-31T14:46:45.978Z',
  app,
  stream: 'stdout',
  line
})

/** The calls with these numbers, the latest first. */
const some = (from: number, to: number): readonly Api.Call[] =>
  Array.from({length: to - from + 1}, (_, n) => call(to - n))

/** A run with three calls, of which number 7 can be opened. */
async function runWithCalls(test: Parameters<typeof madeUp>[0]): Promise<MadeUp> {
  const run = await madeUp(test)
  run.answers['GET /calls'] = (_body, query) => {
    const q = query.get('q') ?? ''
    if (q.includes('colour:')) return {calls: []}
    const all = [
      call(8, {
        method: 'PUT',
        path: '/refunds',
        status: 500,
        isFailed: true,
        marks: ['fault'],
        traceparent: `00-${TRACE}-1-01`
      }),
      call(7, {waitedMs: 400, waitedFor: ['"payments" is being reloaded'], totalMs: 412}),
      call(6, {from: 'payments', to: 'order-processor', path: '/<b>\u202e', at: '2026-01-31T14:46:45.978Z'})
    ]
    return {last: 8, calls: q.includes('is:failed') ? all.slice(0, 1) : all}
  }
  run.answers['GET /calls/7'] = {...detail(7)}
  run.answers['GET /trace'] = {
    asked: 7,
    failedAt: 8,
    nodes: [
      treeNode(call(7), {totalMs: 400}),
      treeNode(call(8, {status: 500, isFailed: true}), {
        depth: 1,
        startMs: 100,
        link: {parent: 7, reason: 'trace', chance: 1, candidates: 1}
      }),
      treeNode(call(6, {path: '/<b>\u202e'}), {
        depth: 2,
        startMs: 150,
        link: {parent: 8, reason: 'guess', chance: 0.5, candidates: 2}
      })
    ],
    lines: [
      {node: 7, others: 0, line: lineOf('checkout', 'got an order')},
      {node: 8, others: 2, line: {...lineOf('payments', 'no <money>'), level: 'error'}}
    ],
    leftOut: 0,
    linesLeftOut: 0
  } satisfies Api.RequestTree
  run.answers['GET /pins'] = {pins: [], rounds: []}
  run.answers['GET /workflows'] = {workflows: [], next: null}
  return run
}

t.test('the calls between apps', async t =>
  withBrowser(t, async browser => {
    await t.test('the latest first, further ones as they end; a filter and its chips', async t => {
      const run = await runWithCalls(t)
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls'}).click()
      const grid = page.getByRole('grid', {name: 'Calls'})
      await grid.getByRole('row', {name: /PUT \/refunds ✕ 500 .* ⚡ fault/}).waitFor()
      await grid
        .getByRole('row', {name: /GET \/orders\/7 200 412 ms .* ↻ waited 400 ms: "payments" is being reloaded/})
        .waitFor()
      await grid.getByText('/<b>[U+202E]').waitFor()
      await run.followed('calls')
      run.send('calls', {calls: [call(9, {path: '/new'})], notShown: 12})
      await grid.getByText('GET /new').waitFor()
      await page.getByText('4 shown, 5 not').waitFor()
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
      await page.getByRole('button', {name: 'Go on'}).click()
      await page.getByText('320 shown, 700 not').waitFor()
      await page.getByRole('grid').focus()
      await page.keyboard.press('End')
      await page.getByRole('gridcell', {name: '↓ 700 calls not shown'}).waitFor()
      run.answers['GET /calls'] = {last: 7000, calls: some(1021, 7000)}
      await page.getByRole('button', {name: 'Pause'}).click()
      await page.getByRole('button', {name: 'Go on'}).click()
      await page.getByText('5,000 shown, 2,000 not').waitFor()
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
      const grid = page.getByRole('grid', {name: 'Calls'})
      await grid.getByRole('row', {name: /… under way .* ↻ waited 2\.3 s: "payments" is being reloaded/}).waitFor()
      isOpen = false
      await grid.getByRole('row', {name: /GET \/slow 200/}).waitFor()
      t.equal(await grid.getByText('under way').count(), 0)
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
      await page.getByRole('grid', {name: 'Calls'}).getByText('GET /orders/7').click()
      t.match(page.url(), /#\/calls\/7/)
      const panel = page.getByRole('region', {name: /^Call 7/})
      const timing = panel.getByRole('list', {name: 'Timing'})
      await timing.getByText('waited 400 ms').waitFor()
      await timing.getByText('connect 0.4 ms').waitFor()
      await timing.getByText('last byte 1.0 ms').waitFor()
      await panel.getByText('authorization: <masked, 10 characters>').waitFor()
      await panel.getByText('"<img src=x onerror=alert(1)>"').waitFor()
      t.equal(await panel.locator('img').count(), 0)
      await panel.getByText('Lines of checkout and payments meanwhile').click()
      await panel.getByText('meanwhile', {exact: false}).last().waitFor()
      t.match(await panel.getByLabel('Lines', {exact: true}).innerText(), /^\S+ payments meanwhile\s*$/)
      await panel.getByText('The whole request').click()
      const steps = panel.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
      await steps.first().waitFor()
      t.equal(await steps.count(), 3)
      t.match(await steps.last().innerText(), /GET \/<b>\[U\+202E\] 200, a guess: 50 %, one of 2 that are possible/)
      await panel.getByRole('link', {name: /checkout → payments .*500/}).waitFor()
      t.match(await steps.nth(1).innerText(), /payments no <money> \(or for another of its 3 requests\)/)
      t.equal(await panel.getByText('got an order').count(), 0)
      await panel.getByLabel('every line that the apps wrote meanwhile (2)').check()
      t.match(await steps.first().innerText(), /checkout got an order/)
      await page.keyboard.press('Escape')
      await panel.waitFor({state: 'detached'})
      t.same(troubles, [])
    })

    await t.test(
      'the whole request of a call under way is followed until it has ended, also after an error',
      async t => {
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
        await page.goto(`${run.url.split('#')[0] ?? ''}#/calls/7`)
        delete run.answers['GET /trace']
        const panel = page.getByRole('region', {name: /^Call 7/})
        const summary = panel.getByText('The whole request')
        await summary.click()
        await panel.getByText('there is no /trace').waitFor()
        run.answers['GET /trace'] = answer
        await summary.click()
        await summary.click()
        const steps = panel.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem')
        await steps.getByText('under way').waitFor()
        isOpen = false
        await steps.getByText(/GET .orders.7 500/).waitFor()
        t.equal(await steps.getByText('under way').count(), 0)
      }
    )

    await t.test('beside the list, what a call of the tree was stands on one line below its name', async t => {
      const run = await runWithCalls(t)
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 900})
      await page.getByRole('navigation').getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid', {name: 'Calls'}).getByText('/orders/7').click()
      await page.getByText('The whole request').click()
      const row = page.getByRole('list', {name: 'Calls of the request'}).getByRole('listitem').first()
      const [name, note] = [await row.locator('.name').boundingBox(), await row.locator('.note').boundingBox()]
      t.ok((note?.y ?? 0) >= (name?.y ?? 0) + (name?.height ?? 0) - 1, 'below')
      t.ok((note?.height ?? 99) < 30, 'on one line')
      t.ok((note?.width ?? 0) > 400)
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
      await page.getByRole('region', {name: 'Call 5'}).locator('.bad').waitFor()
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
      const grid = page.getByRole('grid', {name: 'Calls'})
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
      await grid.getByText('PUT /refunds').click()
      await page.getByRole('heading', {name: /Call 8 PUT/}).waitFor()
      await page.keyboard.press('r')
      await page.getByRole('dialog', {name: 'Send PUT again?'}).getByRole('button', {name: 'Leave it'}).click()
      await page.getByRole('button', {name: 'Send again'}).click()
      await page.getByRole('button', {name: 'Send it'}).click()
      await result.waitFor()
      t.same(bodies, ['{"unsafe":false}', '{"unsafe":true}'])
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('grid', {name: 'Calls'}).getByText('GET /orders/7').click()
      await page.getByRole('button', {name: 'curl'}).waitFor()
      t.equal(await page.getByRole('button', {name: /Send again|Pin/}).count(), 0, 'not for who looks only')
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await runWithCalls(t)
        run.answers['POST /calls/7/replay'] = replayed()
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('link', {name: 'Calls'}).click()
        await page.getByRole('grid', {name: 'Calls'}).getByText('GET /orders/7').click()
        await page.getByRole('button', {name: 'Send again'}).click()
        await page.getByRole('group', {name: 'Sent again'}).waitFor()
        await page.getByText('The whole request').click()
        await page.getByRole('list', {name: 'Calls of the request'}).waitFor()
        t.same(await violations(page), [])
      })
  })
)
