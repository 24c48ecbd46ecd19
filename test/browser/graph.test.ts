import type * as Api from '../../src/model/api.generated.ts'
import {readFile} from 'node:fs/promises'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, edge, fault, FIRST_VIEW, madeUp, type MadeUp} from './made-up.ts'

const GRAPH: Api.Graph = {
  apps: ['checkout', 'payments', 'order-processor'],
  asleep: [],
  edges: [
    {
      ...edge('checkout', 'payments', 4284, {
        recent: {seconds: 60, calls: 756, failed: 234, p95Ms: 65},
        failed: 900,
        waited: 3
      }),
      isDeclared: false
    },
    {...edge('checkout', 'order-processor', 2940), isDeclared: true},
    edge('bus/<b>orders', 'payments', 10)
  ],
  uncalled: [{from: 'order-processor', to: 'payments'}],
  awaited: []
}

const BAD = 'checkout to payments: 12.6/s ✕ 31 % 65 ms, 4,284 in total, not declared'

const shopWithGraph = (run: MadeUp): void => {
  Object.assign(run.answers, FIRST_VIEW, {'GET /graph': GRAPH})
  run.apps = [
    app('checkout'),
    app('payments', {state: 'exited', isReady: false, exitCode: 1, exit: 'exited with code 1'}),
    app('order-processor')
  ]
}

/** So many apps, each of which calls the next one. */
const chain = (count: number): Api.Graph => {
  const ids = Array.from({length: count}, (_, n) => `app-${n}`)
  return {apps: ids, asleep: [], edges: ids.slice(1).map((id, n) => edge(ids[n] ?? '', id)), uncalled: [], awaited: []}
}

const KINDS = ['api', 'store', 'gateway', 'worker', 'adapter-for-partners']

/** Apps and topics, forty in all: they call each other in layers, skip some, and call back. */
function fortyApps(seed: number): Api.Graph {
  const ids = Array.from({length: 37}, (_, n) => `${KINDS[n % KINDS.length] ?? ''}-${n}`)
  let state = seed
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
  const pairs = new Set(
    ids.flatMap((id, n) => [
      ...(n === 0 ? [] : [`${ids[next(n)] ?? ''} ${id}`]),
      ...(n % 3 === 0 && n > 3 ? [`${ids[next(n - 3)] ?? ''} ${id}`] : []),
      ...(n % 11 === 10
        ? [`${id} ${ids[next(n)] ?? ''}`, `${id} pubsub/topic-${n}`, `pubsub/topic-${n} ${ids[next(37)] ?? ''}`]
        : [])
    ])
  )
  const edges = [...pairs].map(pair => pair.split(' ')).filter(([from, to]) => from !== to)
  return {apps: ids, asleep: [], edges: edges.map(([from = '', to = '']) => edge(from, to)), uncalled: [], awaited: []}
}

/** The lines as they are drawn that cross a box, other than at its two ends. */
const UNDER_BOXES = `(() => {
  const boxes = [...document.querySelectorAll('.picture .node')].map(node => {
    const rect = node.querySelector('rect')
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(name => Number(rect.getAttribute(name)))
    return {name: node.querySelector('title').textContent, x, y, width, height}
  })
  const isIn = (point, {x, y, width, height}) =>
    point.x > x + 1 && point.x < x + width - 1 && point.y > y + 1 && point.y < y + height - 1
  return [...document.querySelectorAll('.picture .edge')].flatMap(edge => {
    const path = edge.querySelector('path')
    const [, from, to] = /^(.*?) to (.*?): /.exec(edge.getAttribute('aria-label')) ?? []
    const length = path.getTotalLength()
    const points = Array.from({length: Math.ceil(length / 2)}, (_, n) => path.getPointAtLength(2 * n))
    return boxes
      .filter(box => box.name !== from && box.name !== to && points.some(point => isIn(point, box)))
      .map(box => from + ' to ' + to + ' crosses ' + box.name)
  })
})()`

t.test('the graph', async t =>
  withBrowser(t, async browser => {
    await t.test('a shadow is an app of the run, and not the main version', async t => {
      const run = await madeUp(t)
      const edges = [edge('checkout', 'payments', 10), edge('mirror', 'payments@1.0.0', 10)]
      run.answers['GET /graph'] = {...GRAPH, edges, uncalled: []}
      const down = {state: 'exited', isReady: false, exitCode: 1, exit: 'exited with code 1'} as const
      run.apps = [
        app('checkout'),
        app('payments', {version: '1.0.0', isMain: false, ...down}),
        app('payments', {version: '2.0.0'})
      ]
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('link', {name: /^payments, ● ready/}).waitFor()
      const shadow = picture.getByRole('link', {name: /^payments@1\.0\.0, ✕ down/})
      t.equal(await shadow.getAttribute('href'), '#/apps/payments%401.0.0')
    })

    await t.test('is a picture, the same as a table, and has the figures of an edge', async t => {
      const run = await madeUp(t)
      shopWithGraph(run)
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('button', {name: BAD}).waitFor()
      await picture.getByRole('link', {name: 'payments, ✕ down, p95 65 ms'}).waitFor()
      await picture.getByText('bus/<b>orders').last().waitFor()
      await picture
        .getByRole('button', {name: /^order-processor to payments: .* under dependsOn, not called yet$/})
        .waitFor()
      const table = page.getByRole('region', {name: 'Calls between apps'})
      await table
        .getByRole('row', {name: 'checkout payments not declared 12.6 4,284 ✕ 31.0 % 1.5 ms 65 ms 3'})
        .waitFor()

      await picture.getByRole('button', {name: BAD}).focus()
      await page.keyboard.press('Enter')
      const figures = page.getByRole('region', {name: 'checkout → payments'})
      await figures.getByText('12.6/s, 4,284 in total, 31.0 % failed').waitFor()
      t.equal(
        await figures.getByRole('link', {name: 'Its calls'}).getAttribute('href'),
        '#/calls?q=from%3Acheckout+to%3Apayments'
      )
      t.equal(
        await figures.getByRole('link', {name: 'Fault …'}).getAttribute('href'),
        '#/faults?from=checkout&to=payments'
      )

      run.send('fault', {change: 'on', fault: fault(1), text: ''}, 1001)
      run.send('edges', {edges: [edge('checkout', 'payments', 5000)], waiting: {}})
      await picture
        .getByRole('button', {name: /^checkout to payments: 50\/s 65 ms ⚡, 5,000 in total, a fault is on/})
        .waitFor()
      await figures.getByText('50/s, 5,000 in total, 0.0 % failed').waitFor()

      const calm = {recent: {seconds: 60, calls: 0, failed: 0, p95Ms: 0}, failed: 3}
      run.send('edges', {edges: [edge('checkout', 'order-processor', 2940, calm)], waiting: {}})
      await table.getByRole('row', {name: 'checkout order-processor – 2,940 3 in total'}).waitFor()
      t.same(troubles, [])
    })

    await t.test('is asked again when a new edge comes', async t => {
      const run = await madeUp(t)
      shopWithGraph(run)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('button', {name: BAD}).waitFor()
      run.answers['GET /graph'] = {
        ...GRAPH,
        edges: [...GRAPH.edges, {...edge('payments', 'checkout', 1), isDeclared: false}]
      }
      run.send('edges', {edges: [edge('payments', 'checkout', 1)], waiting: {}})
      await picture.getByRole('button', {name: /^payments to checkout: .* not declared$/}).waitFor()
      t.pass('with what dependsOn says of it')
    })

    await t.test('is asked again when an app comes', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const graph = {apps: ['checkout'], asleep: [], edges: [], uncalled: [], awaited: []}
      run.answers['GET /graph'] = graph
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('link', {name: /^checkout/}).waitFor()
      run.answers['GET /graph'] = {...graph, apps: ['checkout', 'mail']}
      run.send('app', app('mail'), 1001)
      await picture.getByRole('link', {name: /^mail/}).waitFor()
      t.pass('it is shown before any call')
    })

    await t.test('is a matrix of many apps; a focus shows the neighbourhood of one', async t => {
      const run = await madeUp(t)
      run.answers['GET /graph'] = {...chain(50)}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const matrix = page.getByRole('region', {name: 'Matrix of calls'})
      await matrix.getByRole('button', {name: /^app-3 to app-4: /}).waitFor()
      await page.getByLabel('Focus on an app').selectOption('app-7')
      await page.getByRole('button', {name: 'picture'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByText('app-8').last().waitFor()
      t.equal(await picture.getByRole('button').count(), 2)
      await page.getByLabel('Maximum number of calls').selectOption('within 2')
      await picture.getByText('app-9').last().waitFor()
      t.match(page.url(), /focus=app-7.*within=2$/, 'it belongs to the address')
      await page.goto(`${run.url.replace(/#.*/, '')}#/graph?focus=app-7&within=1e99`)
      await picture.getByText('app-9').waitFor({state: 'detached'})
      t.equal(await picture.getByRole('button').count(), 2)
    })

    await t.test('fits, is zoomed and moved by keys and buttons; apps without calls are in rows', async t => {
      const run = await madeUp(t)
      const apps = Array.from({length: 20}, (_, n) => `lone-${n}`)
      run.answers['GET /graph'] = {...chain(12), apps, awaited: [{from: 'lone-0', to: 'lone-1'}]}
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const canvas = page.getByRole('region', {name: 'Picture of the graph'})
      const last = canvas.getByText('lone-19').last()
      const isSeen = async (): Promise<boolean> => {
        const [place, box] = await Promise.all([last.boundingBox(), canvas.boundingBox()])
        if (place === null || box === null) return false
        const isWithin = (at: 'x' | 'y', size: 'width' | 'height'): boolean =>
          place[at] >= box[at] && place[at] + place[size] <= box[at] + box[size]
        return isWithin('x', 'width') && isWithin('y', 'height')
      }
      await last.waitFor({state: 'attached'})
      t.ok(await isSeen(), 'all of it is seen')
      await canvas
        .getByRole('img', {name: 'lone-0 to lone-1: waits for it, under dependsOn'})
        .waitFor({state: 'attached'})
      await canvas.focus()
      for (let n = 0; n < 6; n++) await page.keyboard.press('+')
      t.notOk(await isSeen(), 'zoomed')
      await page.getByRole('button', {name: 'Fit'}).click()
      t.ok(await isSeen(), 'fits again')
      await canvas.focus()
      for (let n = 0; n < 20; n++) await page.keyboard.press('ArrowRight')
      t.notOk(await isSeen(), 'moved')
      await canvas.getByRole('button', {name: /^app-10 to app-11/}).focus()
      const box = await canvas.getByText('app-11').last().boundingBox()
      t.ok((box?.x ?? -1) > 0, 'what has the focus is seen')
      t.same(await violations(page), [])
      t.same(troubles, [])
    })

    await t.test('who publishes, and the topic, are in it', async t => {
      const run = await madeUp(t)
      run.apps = [app('orders'), app('mail')]
      run.answers['GET /graph'] = {
        apps: ['orders', 'mail'],
        edges: [edge('orders', 'pubsub/shipped', 60), edge('pubsub/shipped', 'mail', 60)],
        uncalled: [],
        awaited: []
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('button', {name: /^orders to pubsub\/shipped: /}).waitFor()
      await picture.getByRole('button', {name: /^pubsub\/shipped to mail: /}).waitFor()
      await picture
        .locator('.topic')
        .getByText(/^topic/)
        .waitFor()
      t.equal(await picture.getByText('not an app of this run').count(), 0)
    })

    await t.test('twelve apps in six levels have their states, rates and p95 on a wide screen', async t => {
      const run = await madeUp(t)
      const levels = ['customer', 'web', 'orders', 'payments', 'fraud-check', 'prices']
      const leaves = ['search', 'stock', 'mail', 'shipping-coordination', 'warehouse-sync', 'recommendation-engine-v2']
      const ids = [...levels, ...leaves]
      run.apps = ids.map(id => app(id))
      const edges = [
        ...levels.slice(1).map((id, n) => edge(levels[n] ?? '', id)),
        ...leaves.map((id, n) => edge(levels[1 + (n % 4)] ?? '', id))
      ]
      run.answers['GET /graph'] = {apps: ids, asleep: [], edges, uncalled: [], awaited: []}
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 900})
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.locator('.edge').getByText('1/s 65 ms').nth(10).waitFor()
      await picture.getByText('● ready').nth(11).waitFor()
      await picture.getByText('recommendation-engine-v2', {exact: true}).last().waitFor()
      t.same(await page.evaluate<readonly string[]>(UNDER_BOXES), [])
    })

    await t.test('forty apps have names of one size, not clipped, and rates', async t => {
      const run = await madeUp(t)
      const kinds = ['gateway', 'orders', 'payments', 'stock', 'mail', 'search', 'prices', 'reviews']
      const ids = ['us', 'eu', 'recommendation', 'legacy', 'store'].flatMap(area =>
        kinds.map(kind => `${area}-${kind}`)
      )
      run.apps = ids.map(id => app(id))
      const edges = ids.flatMap((id, n) => (n % 8 === 0 ? [] : [edge(ids[n - (n % 8)] ?? '', id)]))
      run.answers['GET /graph'] = {apps: ids, asleep: [], edges, uncalled: [], awaited: []}
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 900})
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.locator('.edge text').filter({visible: true}).nth(34).waitFor()
      await picture.getByText('recommenda…n-gateway', {exact: true}).waitFor()
      const names = await page.evaluate<readonly {readonly height: number; readonly isCut: boolean}[]>(
        `[...document.querySelectorAll('.node .name')].map(name => {
          const [{height, right}, box] = [name.getBoundingClientRect(), name.closest('.node').querySelector('rect').getBoundingClientRect()]
          return {height: Math.round(height), isCut: right > box.right}
        })`
      )
      t.equal(names.length, 40)
      t.equal(names.filter(({isCut}) => isCut).length, 0)
      t.equal(new Set(names.map(({height}) => height)).size, 1, 'one size')
      t.ok((names[0]?.height ?? 0) >= 11, `${names[0]?.height ?? 0} px`)
      t.same(await page.evaluate<readonly string[]>(UNDER_BOXES), [])
      t.same(await violations(page), [])
    })

    for (const seed of [1, 2, 3])
      await t.test(`no line runs under a box of forty, ${seed}`, async t => {
        const run = await madeUp(t)
        run.answers['GET /graph'] = fortyApps(seed)
        const {page} = await open(browser, run.url)
        await page.getByRole('link', {name: 'Graph'}).click()
        const picture = page.getByRole('group', {name: 'Graph of calls'})
        await picture.getByText('store-36', {exact: true}).last().waitFor({state: 'attached'})
        t.ok((await picture.locator('.edge').count()) > 40)
        t.same(await page.evaluate<readonly string[]>(UNDER_BOXES), [])
      })

    await t.test('many apps are groups by how their names begin; one opens, and closes again', async t => {
      const run = await madeUp(t)
      const ids = ['orders', 'stock', 'mail'].flatMap(name => Array.from({length: 20}, (_, n) => `${name}-${n}`))
      run.apps = ids.map(id => app(id, id === 'mail-7' ? {state: 'exited', isReady: false, exitCode: 1} : {}))
      const edges = ids.slice(1).map((id, n) => edge(ids[n] ?? '', id))
      run.answers['GET /graph'] = {apps: ids, edges, uncalled: [], awaited: []}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      const picture = page.getByRole('group', {name: 'Graph of calls'})
      await picture.getByRole('button', {name: 'orders-* to stock-*: 1/s 65 ms'}).waitFor()
      await picture.getByRole('button', {name: 'Open the group mail-*, 20 apps · ✕ 1 down'}).waitFor()
      t.same(await violations(page), [])
      await picture.getByRole('button', {name: 'Open the group stock-*'}).focus()
      await page.keyboard.press('Enter')
      await picture.getByRole('button', {name: /^stock-3 to stock-4: /}).waitFor({state: 'attached'})
      await picture.getByRole('button', {name: /^orders-\* to stock-0: /}).waitFor({state: 'attached'})
      t.match(page.url(), /open=stock-\*$/)
      await page.getByRole('button', {name: 'Close the group stock-*'}).click()
      await picture.getByRole('button', {name: 'Open the group stock-*'}).waitFor()
    })

    await t.test('names that every object has, and calls that are counted without one', async t => {
      const run = await madeUp(t)
      const ids = ['constructor', '__proto__', 'valueOf']
      const edges = [edge('constructor', '__proto__'), edge('__proto__', 'valueOf'), edge('constructor', '', 7)]
      Object.assign(run.answers, FIRST_VIEW, {'GET /graph': {apps: ids, asleep: [], edges, uncalled: [], awaited: []}})
      run.apps = ids.map(id => app(id))
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).getByText('constructor').waitFor()
      t.equal(await page.getByText('NaN').count(), 0)
      await page.goto(`${run.url.replace(/#.*/, '')}#/graph`)
      const picture = page.getByRole('region', {name: 'Picture of the graph'})
      for (const id of ids) await picture.getByRole('link', {name: `${id}, ● ready`}).waitFor()
      await picture.getByRole('button', {name: /^constructor to \(others\)/}).press('Enter')
      await page.getByRole('link', {name: 'Its calls'}).click()
      t.match(page.url(), /#\/calls\?q=from%3Aconstructor$/, 'a field without a value is no filter')
      t.same(troubles, [])
    })

    await t.test('can be saved: Mermaid, JSON', async t => {
      const run = await madeUp(t)
      shopWithGraph(run)
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      await page.getByRole('group', {name: 'Graph of calls'}).waitFor()
      const saved = async (format: string): Promise<string> => {
        const coming = page.waitForEvent('download')
        await page.getByLabel('Export').selectOption(format)
        return readFile(await (await coming).path(), 'utf8')
      }
      t.match(await saved('Mermaid'), /^flowchart LR\n[^]*\["bus\/#60;b#62;orders"\]/)
      t.strictSame(JSON.parse(await saved('JSON')), GRAPH)
    })

    await t.test('says how to make a call where there was none', async t => {
      const run = await madeUp(t)
      run.answers['GET /graph'] = {apps: ['checkout', 'payments'], asleep: [], edges: [], uncalled: [], awaited: []}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Graph'}).click()
      await page.getByText('curl http://127.0.0.1:41001/v1.0/invoke/payments/method/').waitFor()
      t.pass('with the real port')
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t)
        shopWithGraph(run)
        run.faults = [fault(1)]
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('link', {name: 'Graph'}).click()
        await page.getByRole('group', {name: 'Graph of calls'}).getByText('12.6/s ✕ 31 % 65 ms ⚡').click()
        await page.getByRole('region', {name: 'checkout → payments'}).waitFor()
        t.same(await violations(page), [])
        await page.getByRole('button', {name: 'matrix'}).click()
        await page.getByRole('region', {name: 'Matrix of calls'}).waitFor()
        t.same(await violations(page), [])
      })
  })
)
