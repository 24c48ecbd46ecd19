import t from 'tap'
import {open, toView, violations, withBrowser} from './browser.ts'
import {trouble} from './made-up-crash.ts'
import {app, call, edge, fault, FIRST_VIEW, madeUp} from './made-up.ts'

const LONG = `a-service-${'whose-name-is-long-'.repeat(8)}`
const WORD = 'x'.repeat(3000)
const CALLERS_ARE_WHOLE =
  "[...document.querySelectorAll('.pair > :first-child')].every(name => name.scrollWidth <= name.clientWidth)"

t.test('long names, paths and lines on narrow and wide screens', async t =>
  withBrowser(t, async browser => {
    const run = await madeUp(t, {answers: FIRST_VIEW})
    run.apps = [app(LONG), app('checkout', {state: 'exited', exitCode: 1, exit: `exited with code 1 ${WORD}`})]
    run.faults = [
      fault(1, {from: LONG, to: LONG, texts: {edge: `${LONG} → ${LONG} /${WORD}`, effect: '503', rate: '', limit: ''}})
    ]
    const edges = [edge(LONG, LONG), edge('checkout', LONG)]
    const line = {time: '2026-01-31T14:46:45.500Z', app: LONG, stream: 'stderr', line: WORD}
    Object.assign(run.answers, {
      'GET /logs': `${JSON.stringify(line)}\n`.repeat(20),
      'GET /calls': {
        last: 9,
        calls: [call(9, {from: LONG, to: LONG, path: `/${WORD}`, failure: WORD, isFailed: true})]
      },
      'GET /graph': {apps: [LONG, 'checkout'], edges, uncalled: [], awaited: []},
      'GET /apps/checkout/why': {app: 'checkout', instances: [], stalled: [], death: null, deaths: 0},
      'GET /workflows': {
        workflows: [
          {
            app: LONG,
            id: WORD,
            name: WORD,
            status: 'FAILED',
            created: line.time,
            lastUpdate: line.time,
            customStatus: '',
            failure: WORD,
            parent: null,
            workers: 0
          }
        ],
        next: null
      },
      'GET /pins': {pins: [], rounds: [], isOn: true},
      'GET /template': {
        files: [{file: `/${WORD}/dapr.yaml`, text: `version: 1\nname: ${WORD}\n`}],
        findings: [
          {file: `/${WORD}/dapr.yaml`, line: 2, severity: 'warning', message: WORD, expected: '', hint: '', lines: WORD}
        ]
      }
    })
    const views = ['Apps', 'Calls', 'Graph', 'Logs', 'Workflows', 'Replay', 'Faults', 'Template']
    // 720 by 450: a window of 1440 by 900 at 200 %
    for (const [width, height] of [
      [320, 568],
      [360, 640],
      [720, 450],
      [760, 400],
      [2560, 1440]
    ] as const)
      await t.test(`${width} by ${height}: nothing scrolls sideways but areas of their own`, async t => {
        const {page, troubles} = await open(browser, run.url, 'light', {width, height})
        const ends = await page.evaluate<readonly number[]>(
          "[...document.querySelectorAll('.side-by-side > *')].map(each => each.getBoundingClientRect().bottom)"
        )
        t.ok(Math.max(...ends) - Math.min(...ends) < 12, 'the keys of the header stand beside its figures')
        for (const name of views) {
          const link = page.getByRole('navigation').getByRole('link', {name})
          await toView(page, name)
          await page.getByRole('heading', {name, exact: true}).waitFor()
          t.equal(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), true, name)
          t.equal(
            await page.evaluate<boolean>(
              "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
            ),
            true,
            `${name}, the view`
          )
          const box = await link.boundingBox()
          t.ok((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width, `${name}: its link can be seen`)
        }
        t.same(troubles, [])
      })

    await t.test('on a phone nothing lies over what happened, and names in the graph can be read', async t => {
      const quiet = await madeUp(t)
      quiet.apps = Array.from({length: 12}, (_, n) => app(`app-${n}`))
      const ids = quiet.apps.map(({id}) => id)
      quiet.answers['GET /graph'] = {
        apps: ids,
        edges: ids.slice(1).map((id, n) => edge(`app-${n}`, id)),
        uncalled: [],
        awaited: []
      }
      const {page} = await open(browser, quiet.url, 'light', {width: 360, height: 740})
      const hint = page.getByText('No call has been made yet')
      await hint.waitFor()
      const [above, below] = [await hint.boundingBox(), await page.getByText('What happened').boundingBox()]
      t.ok((above?.y ?? 0) + (above?.height ?? 0) <= (below?.y ?? 0), 'what happened comes below')
      await page.getByRole('navigation').getByRole('link', {name: 'Graph'}).click()
      const canvas = page.getByRole('region', {name: 'Picture of the graph'})
      const name = canvas.getByText('app-0', {exact: true}).last()
      await name.waitFor()
      t.ok(((await name.boundingBox())?.height ?? 0) >= 8, 'a name is large enough')
    })

    await t.test(
      'a phone shows calls in the upper third, with readable heads; a tablet has one line of tabs',
      async t => {
        const quiet = await madeUp(t)
        quiet.answers['GET /calls'] = {last: 9, calls: [call(9)]}
        const {page} = await open(browser, quiet.url, 'light', {width: 360, height: 740})
        await page.getByRole('navigation').getByRole('link', {name: 'Calls'}).click()
        const row = page.getByRole('grid', {name: 'Calls'}).getByRole('row').nth(1)
        await row.waitFor()
        t.ok(((await row.boundingBox())?.y ?? 999) < 200, `${(await row.boundingBox())?.y ?? 999} px`)
        t.same(
          await page.evaluate<readonly string[]>(
            "[...document.querySelectorAll('.grid .head button')].filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
          ),
          []
        )
        t.same(await violations(page), [])
        await page.setViewportSize({width: 768, height: 900})
        t.equal(await page.getByRole('columnheader', {name: 'Why'}).count(), 0, 'a column without texts is not there')
        t.ok(((await page.getByRole('banner').boundingBox())?.height ?? 99) < 50)
      }
    )

    await t.test('on a phone long names keep both ends, and failures are shown', async t => {
      const failing = await madeUp(t)
      failing.apps = [app('recommendation-gateway-in-europe'), app('web')]
      const {page} = await open(browser, failing.url, 'light', {width: 360, height: 740})
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.getByRole('row', {name: 'web'}).waitFor()
      const recent = {seconds: 60, calls: 340, failed: 51, p95Ms: 65}
      failing.send('edges', {edges: [edge('web', 'recommendation-gateway-in-europe', 340, {recent})], waiting: {}})
      await grid.getByRole('row', {name: 'recommendation-gateway-in-europe'}).getByText('51').waitFor()
      const end = grid.getByText('-in-europe', {exact: true})
      const [name, cell] = [await end.boundingBox(), await grid.locator('.rows .app').first().boundingBox()]
      t.ok((name?.x ?? 999) + (name?.width ?? 0) <= (cell?.x ?? 0) + (cell?.width ?? 0) + 1, 'its end is seen')
      t.same(await violations(page), [])
    })

    await t.test('on a phone the apps are not squeezed', async t => {
      const many = await madeUp(t)
      many.apps = Array.from({length: 12}, (_, n) => app(`app-${n}`))
      const {page} = await open(browser, many.url, 'light', {width: 360, height: 740})
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.getByRole('row').nth(12).waitFor()
      t.equal(
        await page.evaluate<boolean>(
          "(grid => grid.scrollHeight <= grid.clientHeight + 1)(document.querySelector('.grid.apps'))"
        ),
        true,
        'all twelve are seen'
      )
    })

    await t.test('on a phone no trouble is cut off, and a short caller beside a long callee is whole', async t => {
      const failing = await madeUp(t)
      const troubles = ['a', 'b', 'c'].map(name => trouble({key: name, app: name, name, error: 'no stock '.repeat(30)}))
      failing.troubles = troubles
      failing.answers['GET /calls'] = {last: 9, calls: [call(9, {from: 'orders', to: LONG})]}
      const {page} = await open(browser, failing.url, 'light', {width: 360, height: 740})
      await page.locator('.card').nth(2).waitFor()
      t.ok(
        await page.evaluate<boolean>(
          "(box => box.scrollHeight <= box.clientHeight)(document.querySelector('.troubles'))"
        )
      )
      await page.locator('.pair').getByText('orders', {exact: true}).waitFor()
      t.ok(await page.evaluate<boolean>(CALLERS_ARE_WHOLE))
      t.same(await violations(page), [])
    })

    for (const width of [768, 1000])
      await t.test(`forty apps at ${width} px: both ends of a call and the reason of a failure show`, async t => {
        const many = await madeUp(t)
        many.apps = Array.from({length: 40}, (_, n) => app(`recommendation-gateway-${n}`))
        const failure = 'TypeError: Cannot read properties of undefined'
        const from = {from: 'orders', to: 'warehouse-sync', path: '/orders/17/items?with=a-long-query'}
        many.answers['GET /calls'] = {
          last: 9,
          calls: [call(9, {...from, failure, isFailed: true, status: 500}), call(8)]
        }
        const {page} = await open(browser, many.url, 'light', {width, height: 900})
        await page.getByRole('grid', {name: 'Apps'}).getByRole('row').nth(9).waitFor()
        t.same(await violations(page), [])
        await page.getByRole('navigation').getByRole('link', {name: 'Calls'}).click()
        const row = page.getByRole('grid', {name: 'Calls'}).getByRole('row').nth(1)
        await row.getByText('orders', {exact: true}).waitFor()
        t.ok(await page.evaluate<boolean>(CALLERS_ARE_WHOLE), 'the caller is whole')
        t.ok(((await row.getByText(failure).boundingBox())?.width ?? 0) > 110, 'the reason')
        t.same(await violations(page), [])
        t.ok(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'))
      })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility on a narrow screen, ${theme}`, async t => {
        const {page} = await open(browser, run.url, theme, {width: 360, height: 640})
        for (const name of views) {
          await toView(page, name)
          await page.getByRole('heading', {name, exact: true}).waitFor()
          t.same(await violations(page), [], name)
        }
      })
  })
)
