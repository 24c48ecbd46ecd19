/** What a page may meet: floods, clocks that lie, names in every script, a screen reader. */
import type {Page} from 'playwright-core'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {trouble} from './made-up-crash.ts'
import {app, call, callDetail, edge, FIRST_VIEW, madeUp, treeNode, type MadeUp} from './made-up.ts'

/** 200 characters each. */
const NAMES = [
  'طلبات-', // from right to left
  'הזמנות-',
  '订单服务',
  'คำสั่งซื้อ', // marks above and below
  'ऑर्डर-',
  'Ζαλγο͒̾-', // marks that pile up
  '👩‍👩‍👧‍👦🏳️‍🌈', // several code points are one sign
  'zero\u200bwidth\u202eturned'
].map(piece => piece.repeat(Math.ceil(200 / piece.length)).slice(0, 200))

const isTooWide = async (page: Page): Promise<boolean> =>
  page.evaluate<boolean>(
    "document.documentElement.scrollWidth > innerWidth || document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth"
  )

/** What nobody should read. */
const NONSENSE = /NaN|Infinity|undefined|null|Invalid|\[object|-\d+(\.\d+)? (ms|s|min|h)\b/

async function openCall(page: Page, number: number): Promise<void> {
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await page.getByRole('grid', {name: 'Calls', exact: true}).waitFor()
  await page.evaluate(`location.hash = '#/calls/${number}'`)
  await page.getByRole('heading', {name: `Calls / ${number}`}).waitFor()
}

function withTree(run: MadeUp, nodes: readonly ReturnType<typeof treeNode>[], leftOut: number): void {
  const asked = nodes[0]?.call ?? call(1)
  Object.assign(run.answers, {
    'GET /pins': {pins: [], rounds: []},
    'GET /workflows': {workflows: [], next: null},
    'GET /calls': {last: asked.number, calls: [asked]},
    [`GET /calls/${asked.number}`]: callDetail({...asked, isFailed: true}),
    'GET /trace': {asked: asked.number, failedAt: null, nodes, lines: [], leftOut, linesLeftOut: 0}
  })
}

t.test('a page and what it may meet', async t =>
  withBrowser(t, async browser => {
    await t.test('ten thousand calls in a second: few rows, the latest first, and it answers', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      await page.getByText('There was no call yet').waitFor()
      await run.followed('calls')
      for (let batch = 0; batch < 10; batch++)
        run.send('calls', {
          calls: Array.from({length: 1000}, (_, n) => call(batch * 1000 + n + 1, {path: `/n/${batch * 1000 + n + 1}`})),
          notShown: 7
        })
      const grid = page.getByRole('grid', {name: 'Calls', exact: true})
      await grid.getByText('/n/10000', {exact: false}).waitFor()
      await page.getByText('5,000 of 10,000').waitFor()
      t.ok((await grid.getByRole('row').count()) < 100, 'rows in sight alone are in the document')
      t.equal(await grid.getAttribute('aria-rowcount'), '5001')
      await page.keyboard.press('p')
      await page.keyboard.press('g')
      await page.keyboard.press('a')
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      t.same(troubles, [])
    })

    await t.test('a request of 5000 calls: the 1000 rows that come are drawn, the rest is counted', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const nodes = Array.from({length: 1000}, (_, n) =>
        treeNode(call(n + 1), {depth: n, startMs: n, link: null, totalMs: 2000 - n})
      )
      withTree(run, nodes, 4000)
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await openCall(page, 1)
      const tree = page.getByRole('list', {name: 'Calls of the request'})
      await page.getByText('4,000 more calls are not shown.').waitFor()
      t.equal(await tree.getByRole('listitem').count(), 1000)
      t.equal(await isTooWide(page), false, 'however deep it is')
      t.same(troubles, [])
    })

    await t.test('clocks that lie: no time is negative, and none is nonsense', async t => {
      const run = await madeUp(t)
      const [early, late] = ['1970-01-01T00:00:00.000Z', '2099-12-31T23:59:59.999Z']
      Object.assign(run.answers, FIRST_VIEW, {
        'GET /logs': [early, late, early]
          .map(time => `${JSON.stringify({time, app: 'checkout', stream: 'stdout', line: 'tick'})}\n`)
          .join('')
      })
      withTree(
        run,
        [
          treeNode(call(1, {at: late}), {startMs: 0, totalMs: 0}),
          treeNode(call(2, {at: early}), {startMs: -5000, totalMs: 3, depth: 1}),
          treeNode(call(3, {at: late, isOpen: true}), {startMs: 9e9, totalMs: -4, isOpen: true, depth: 1})
        ],
        0
      )
      run.apps = [
        app('checkout', {startedAt: late, createdAt: late}),
        app('payments', {startedAt: early, state: 'starting', isReady: false, restartsAt: early})
      ]
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await openCall(page, 1)
      await page.getByRole('list', {name: 'Calls of the request'}).waitFor()
      for (const [key, name] of [
        ['c', 'Calls'],
        ['a', 'Apps'],
        ['l', 'Logs']
      ] as const) {
        t.notMatch(await page.locator('body').innerText(), NONSENSE, name)
        await page.keyboard.press('g')
        await page.keyboard.press(key)
        await page.getByRole('heading', {name, exact: true}).waitFor()
      }
      await page.getByRole('log').getByText('tick').nth(2).waitFor()
      t.equal(await page.locator('svg rect[width^="-"], svg rect[x^="-"], svg rect[width="NaN"]').count(), 0)
      t.same(troubles, [])
    })

    await t.test('names of 200 characters in every script, on a phone and beside a list', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.apps = NAMES.map(name => app(name))
      const calls = NAMES.map((name, n) => call(n + 1, {from: name, to: NAMES.at(n - 1) ?? '', path: `/${name}`}))
      withTree(
        run,
        calls.map((each, n) => treeNode(each, {depth: n, startMs: n})),
        0
      )
      Object.assign(run.answers, {
        'GET /calls': {last: 8, calls},
        'GET /graph': {
          apps: NAMES,
          edges: NAMES.slice(1).map((name, n) => edge(NAMES[n] ?? '', name)),
          uncalled: [],
          awaited: []
        },
        'GET /logs': NAMES.map(
          name => `${JSON.stringify({time: null, app: name, stream: 'stdout', line: `<b>${name}</b>`})}\n`
        ).join('')
      })
      for (const size of [
        {width: 320, height: 640},
        {width: 1440, height: 800}
      ]) {
        const {page, troubles} = await open(browser, run.url, 'dark', size)
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
        for (const [key, name] of [
          ['a', 'Apps'],
          ['g', 'Graph'],
          ['l', 'Logs'],
          ['c', 'Calls']
        ] as const) {
          await page.keyboard.press('g')
          await page.keyboard.press(key)
          await page.getByRole('heading', {name, exact: true}).waitFor()
          t.equal(await isTooWide(page), false, `${name} at ${size.width}`)
        }
        await page.evaluate("location.hash = '#/calls/1'")
        await page.getByRole('list', {name: 'Calls of the request'}).waitFor()
        t.equal(await isTooWide(page), false, `a call at ${size.width}`)
        t.equal(await page.locator('main b:has-text("订单")').count(), 0, 'markup is text')
        t.same(await violations(page), [])
        t.same(troubles, [])
      }
    })

    await t.test('a screen reader: one main, named places, a table with its length, spoken crashes', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.apps = Array.from({length: 200}, (_, n) => app(`app-${n}`))
      const {page} = await open(browser, run.url)
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.waitFor()
      t.equal(await page.getByRole('main').count(), 1)
      t.equal(await page.getByRole('heading', {level: 1}).count(), 1)
      t.equal(await page.getByRole('navigation').count(), 1)
      t.equal(await grid.getAttribute('aria-rowcount'), '201')
      await page.keyboard.press('j')
      await page.keyboard.press('End')
      // the last row is drawn once the table has scrolled
      const last = grid.locator('[aria-rowindex="201"]')
      await last.waitFor()
      t.equal(await grid.getAttribute('aria-activedescendant'), await last.getAttribute('id'), 'the row keys act on')
      run.send('troubles', {troubles: [trouble({app: 'app-7', name: 'app-7', text: '"app-7" exited with code 1'})]})
      await page.getByRole('status').getByText('"app-7" exited with code 1').waitFor({state: 'attached'})
      await page.keyboard.press('g')
      await page.keyboard.press('c')
      await page.getByRole('main', {name: 'Calls'}).waitFor()
      // the page moves the focus once the view is drawn
      await page.locator('main:focus').waitFor()
      t.pass('where one is has the focus')
    })
  })
)
