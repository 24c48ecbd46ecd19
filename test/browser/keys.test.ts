/** Every journey by keyboard alone: nothing is clicked, nothing is focused by the test. */
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {call, callDetail, edge, FIRST_VIEW, madeUp, treeNode, type MadeUp} from './made-up.ts'
import {active, focused, focusIsBack, press, tabTo} from './keyboard.ts'
import {crash} from './made-up-crash.ts'
import {instance} from './made-up-workflows.ts'

const AT = '2026-01-31T14:46:45.977Z'

/** A run whose views all have rows. */
function fill(run: MadeUp): void {
  crash(run)
  const calls = [call(8, {status: 500, isFailed: true}), call(7, {path: '/orders/7'}), call(6)]
  const edges = [edge('checkout', 'payments', 100), edge('checkout', 'order-processor', 50)]
  const workflow = {app: 'checkout', id: 'o-1', name: 'order', status: 'RUNNING', created: AT, lastUpdate: AT}
  const ended = {app: 'checkout', id: 'o-2', name: 'order', status: 'COMPLETED', created: AT, lastUpdate: AT}
  const rest = {customStatus: '', failure: '', parent: null, workers: 1}
  Object.assign(run.answers, {
    'GET /calls': {last: 8, calls},
    'GET /calls/8': callDetail(call(8, {status: 500, isFailed: true})),
    'GET /calls/7': callDetail(call(7, {path: '/orders/7'})),
    'GET /trace': {
      asked: 7,
      failedAt: 8,
      nodes: [treeNode(call(7)), treeNode(call(8, {status: 500, isFailed: true}), {depth: 1, startMs: 1})],
      lines: [],
      leftOut: 0,
      linesLeftOut: 0
    },
    'GET /graph': {apps: run.apps.map(({id}) => id), edges, uncalled: [], awaited: []},
    'GET /workflows': {
      workflows: [
        {...workflow, ...rest},
        {...ended, ...rest}
      ],
      next: null
    },
    'GET /actors': {types: [], next: null},
    'GET /jobs': {jobs: [], next: null},
    'GET /pins': {pins: [], rounds: [], isOn: true},
    'GET /template': {files: [{file: '/shop/dapr.yaml', text: 'version: 1\n'}], findings: []},
    'GET /apps/order-processor/why': {app: 'order-processor', instances: [], stalled: [], death: null, deaths: 0},
    'GET /apps/order-processor/deaths': {deaths: []},
    'GET /apps/order-processor/environment': {folder: '/shop', variables: []},
    'POST /apps/checkout/restart': {apps: []},
    'POST /apps/checkout/stop': {apps: []},
    'POST /apps/payments/start': {apps: []}
  })
}

t.test('by keyboard alone', async t =>
  withBrowser(t, async browser => {
    await t.test('from an app to its calls, a call, its request and back', async t => {
      const run = await madeUp(t)
      fill(run)
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await press(page, 'j')
      t.match(await active(page), /payments/, 'the first row, which is the crashed one')
      await press(page, 'j')
      t.match(await active(page), /checkout/)
      await press(page, 'k', 'Enter')
      await page.getByRole('heading', {name: 'Apps / payments'}).waitFor()
      t.same(await violations(page), [])
      t.ok(await tabTo(page, /^Latest calls/), 'its calls are one tab stop')
      await press(page, 'j', 'Enter')
      await page.getByRole('heading', {name: 'Calls / 7'}).waitFor()
      await press(page, 'Escape')
      await page.getByRole('heading', {name: /^Calls \/ /}).waitFor({state: 'detached'})
      await press(page, 'g', 'c')
      const calls = page.getByRole('grid', {name: 'Calls', exact: true})
      await calls.waitFor()
      await press(page, 'j', 'j', 'Enter')
      await page.getByRole('heading', {name: 'Calls / 7'}).waitFor()
      const tree = page.getByRole('list', {name: 'Calls of the request'})
      await tree.waitFor()
      t.same(await violations(page), [])
      t.ok(await tabTo(page, /^checkout → payments$/))
      await press(page, 'Tab', 'Enter')
      await page.getByRole('heading', {name: 'Calls / 8'}).waitFor()
      await press(page, 'Escape')
      await page.getByRole('heading', {name: /^Calls \/ /}).waitFor({state: 'detached'})
      await focusIsBack(page)
      await press(page, 'j')
      t.not(await active(page), '', 'and keys go on there')
      t.same(troubles, [])
    })

    await t.test('apps are started, stopped, restarted, filtered', async t => {
      const run = await madeUp(t)
      fill(run)
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      const grid = page.getByRole('grid', {name: 'Apps'})
      await grid.waitFor()
      const asks = async (action: string, key: string): Promise<void> => {
        const [answer] = await Promise.all([page.waitForResponse(new RegExp(`${action}$`)), press(page, key)])
        t.equal(answer.status(), 200, action)
      }
      await press(page, 'j')
      await asks('payments/start', 's')
      await press(page, 'j')
      await asks('checkout/restart', 'r')
      await asks('checkout/stop', 's')
      await press(page, '/')
      await page.keyboard.type('order')
      await grid.getByRole('link', {name: 'checkout'}).waitFor({state: 'detached'})
      await press(page, 'Escape')
      t.equal(await page.getByLabel('Filter apps').inputValue(), '', 'Esc empties the filter')
      await grid.getByRole('link', {name: 'checkout'}).waitFor()
      await page.keyboard.type('order')
      await grid.getByRole('link', {name: 'checkout'}).waitFor({state: 'detached'})
      await press(page, 'Enter')
      t.match(await active(page), /order-processor/, 'Enter goes to what was found')
      await press(page, 'Enter')
      await page.getByRole('heading', {name: 'Apps / order-processor'}).waitFor()
      await press(page, 'Escape')
      await grid.waitFor()
      t.same(troubles, [])
    })

    await t.test('in a table, too, the second of two keys goes to a view', async t => {
      const run = await madeUp(t)
      fill(run)
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      for (const [key, view] of [
        ['r', 'Replay'],
        ['l', 'Logs'],
        ['j', 'Jobs']
      ] as const) {
        await press(page, 'j')
        t.match(await active(page), /payments/)
        await press(page, 'g', key)
        await page.getByRole('main', {name: view}).waitFor()
        t.notMatch(page.url(), /app=/)
        await press(page, 'g', 'a')
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
      }
      t.same(
        run.asked.filter(each => each.startsWith('POST')),
        [],
        'no app is restarted'
      )
    })

    await t.test('Esc closes the list of copies alone', async t => {
      const run = await madeUp(t)
      fill(run)
      const copy = {folder: '/shop', branch: 'main', state: 'running'}
      run.answers['GET /copies'] = {
        copies: [
          {...copy, name: 'main', pid: 1, isThis: true},
          {...copy, name: 'fix', pid: 2, isThis: false}
        ]
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/apps/checkout`)
      await page.getByRole('heading', {name: 'Apps / checkout'}).waitFor()
      await page.getByText('1 other copy').click()
      await page.getByRole('banner').getByText('fix').waitFor()
      await press(page, 'Escape')
      await page.getByRole('banner').getByText('fix').waitFor({state: 'hidden'})
      t.match(page.url(), /#\/apps\/checkout$/, 'the app stays')
      await press(page, 'Escape')
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
    })

    await t.test('the graph: an edge, its figures, its calls', async t => {
      const run = await madeUp(t)
      fill(run)
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await press(page, 'g', 'g')
      await page.getByRole('group', {name: 'Graph of calls'}).waitFor()
      t.ok(await tabTo(page, /^checkout to payments: /))
      await press(page, 'Enter')
      await page.getByRole('region', {name: 'checkout → payments'}).waitFor()
      t.same(await violations(page), [])
      t.ok(await tabTo(page, /^Its calls$/))
      await press(page, 'Enter')
      await page.getByRole('grid', {name: 'Calls', exact: true}).waitFor()
      t.match(page.url(), /from%3Acheckout\+to%3Apayments/)
      await press(page, 'g', 'g')
      await page.getByRole('group', {name: 'Graph of calls'}).waitFor()
      t.ok(await tabTo(page, /^matrix$/))
      await press(page, 'Enter')
      await page.getByRole('region', {name: 'Matrix of calls'}).waitFor()
      t.ok(await tabTo(page, /^checkout to payments: /))
      await press(page, 'Enter')
      await page.getByRole('region', {name: 'checkout → payments'}).waitFor()
      await press(page, 'Escape')
      await page.getByRole('region', {name: 'checkout → payments'}).waitFor({state: 'detached'})
      t.same(troubles, [])
    })

    await t.test('Enter in a filter goes to what it has found, when that is there', async t => {
      for (const [view, label, path] of [
        ['w', 'Workflows', '/workflows'],
        ['c', 'Calls', '/calls']
      ] as const) {
        const run = await madeUp(t)
        const [all, found] = [
          [call(3), call(2, {path: '/two'}), call(1)],
          [call(2, {path: '/two'}), call(1)]
        ]
        Object.assign(run.answers, FIRST_VIEW, {
          'GET /workflows': (_: string, query: URLSearchParams) => ({
            workflows: ['o-3', 'o-2', 'o-1'].slice(query.has('name') ? 1 : 0).map(id => instance(id)),
            next: null
          }),
          'GET /calls': (_: string, query: URLSearchParams) => ({
            last: 3,
            calls: /is:open/.test(query.get('q') ?? '') ? [] : (query.get('q') ?? '') === '' ? all : found
          })
        })
        const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
        await press(page, 'g', view)
        const rows = page.getByRole('grid', {name: label, exact: true}).getByRole('row')
        await rows.nth(3).waitFor()
        /** Types a letter into the filter, then keys while the answer is held back: that to the filter, not to calls under way. */
        const types = async (letter: string, keys: readonly string[]): Promise<void> => {
          const isAsked = ({pathname, searchParams: query}: URL): boolean => {
            const filter = query.get('q') ?? query.get('name') ?? ''
            return pathname.endsWith(path) && filter.includes(letter) && !filter.includes('is:open')
          }
          const [held, release] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
          await page.route(isAsked, async route => {
            held.resolve(undefined)
            await release.promise
            await route.continue()
          })
          await press(page, letter)
          await held.promise
          await press(page, ...keys)
          t.equal(await page.evaluate<string>('document.activeElement.type'), 'search', 'the focus waits')
          t.ok((await rows.count()) > 1, `${label}: rows stay while others are asked for`)
          t.same(await violations(page), [])
          release.resolve(undefined)
          await page.locator('[role=grid][aria-busy=false]').waitFor()
          await page.unrouteAll({behavior: 'wait'})
        }
        await press(page, '/')
        await types('o', ['Enter', 'Enter'])
        await page.locator('[role=grid]:focus').waitFor()
        t.equal(await rows.count(), 3, 'those that were found')
        t.match(await active(page), view === 'w' ? /o-2/ : /two/, 'keys go on there')
        await press(page, '/')
        await types('r', ['Enter', 'd'])
        t.equal(await page.evaluate<string>('document.activeElement.type'), 'search', 'who goes on typing stays there')
        t.same(troubles, [])
      }
    })

    await t.test('each view: its table, or its first field, is one Tab away; / goes to its filter', async t => {
      const run = await madeUp(t)
      fill(run)
      const {page, troubles} = await open(browser, run.url, 'dark', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      for (const [key, title, first, filter] of [
        ['a', 'Apps', /^Apps/, 'Filter apps'],
        ['c', 'Calls', /^Calls/, 'Filter calls'],
        ['g', 'Graph', /^Focus on an app/, ''],
        ['l', 'Logs', /^Search lines/, 'Search lines'],
        ['w', 'Workflows', /^Workflows/, 'Name of the workflow'],
        ['o', 'Actors', /./, ''],
        ['j', 'Jobs', /./, 'Name of the job'],
        ['r', 'Replay', /./, ''],
        ['f', 'Faults', /./, ''],
        ['t', 'Template', /./, '']
      ] as const) {
        await press(page, 'g', key)
        await page.getByRole('heading', {name: title, exact: true}).first().waitFor()
        await page.getByText('Asking the run …').waitFor({state: 'detached'})
        await press(page, 'Tab')
        t.match(await focused(page), first, title)
        t.same(await violations(page), [], title)
        await press(page, 'Escape')
        if (filter === '') continue
        await press(page, '/')
        t.match(await page.evaluate<string>("document.activeElement.getAttribute('aria-label')"), filter, title)
        await page.keyboard.type('zzzz')
        await press(page, 'Escape')
        t.equal(await page.getByLabel(filter).inputValue(), '', `${title}: Esc empties it`)
        await press(page, 'Escape')
        t.equal(await page.evaluate<string>('document.activeElement.id'), 'main', `${title}: Esc leaves it`)
      }
      t.same(troubles, [])
    })
  })
)
