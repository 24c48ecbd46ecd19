/** Tables at each width: a cell for each track, no cell on another one or outside of its row. */
import type {Page} from 'playwright-core'
import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {job} from './made-up-timed.ts'
import {instance} from './made-up-workflows.ts'
import {app, call, FIRST_VIEW, madeUp} from './made-up.ts'

const WIDTHS = [1920, 1440, 1300, 1100, 1000, 860, 768, 700, 600, 480, 360, 320]
const LONG = 'recommendation-legacy-compatibility-adapter-for-partner-v2'

/** What is wrong with the rows that are seen. */
const wrong = async (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>(`[...document.querySelectorAll('[role=grid] [role=row]')].flatMap(row => {
    const name = row.closest('[role=grid]').getAttribute('aria-label') + ': ' + row.textContent
    const {display, gridTemplateColumns, gridTemplateRows} = getComputedStyle(row)
    const cells = [...row.children].filter(cell => getComputedStyle(cell).display !== 'none')
    const tracks = gridTemplateColumns.split(' ').length
    const lines = gridTemplateRows.split(' ').length
    const outer = row.getBoundingClientRect()
    const boxes = cells.map(cell => cell.getBoundingClientRect())
    const isOutside = boxes.some(box => box.bottom > outer.bottom + 1 || box.right > outer.right + 1 || box.top < outer.top - 1)
    const isOnOther = boxes.some((a, at) => boxes.some((b, other) => at < other &&
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1))
    return [
      display === 'grid' && lines === 1 && tracks !== cells.length && tracks + ' tracks, ' + cells.length + ' cells',
      isOutside && 'a cell outside',
      isOnOther && 'a cell on another one'
    ].filter(Boolean).map(what => name + ': ' + what)
  })`)

t.test('each table has as many tracks as columns, at every width', async t =>
  withBrowser(t, async browser => {
    const run = await madeUp(t)
    const actor = {type: 'Cart', id: 'Ada', host: 'carts', inside: 'add', insideMs: 12_000, waiting: 2, waitingMs: 5000}
    Object.assign(run.answers, FIRST_VIEW, {
      'GET /calls': {last: 2, calls: [call(2, {from: LONG, to: LONG, failure: LONG, isFailed: true}), call(1)]},
      'GET /requests': {requests: [{...call(2), calls: 7, failedCalls: 1}]},
      'GET /workflows': {workflows: [instance(LONG), instance('o-16', {status: 'FAILED', failure: LONG})], next: null},
      'GET /actors': {
        types: [{type: 'Cart', hosts: ['carts'], active: 1, inside: 1, waiting: 2, reminders: 1, next: call(1).at}]
      },
      'GET /actors/of': {type: 'Cart', actors: [{...actor, idleMs: 0}], count: 1},
      'GET /jobs': {now: call(1).at, jobs: [job('report')], next: null}
    })
    run.answers[`GET /apps/${LONG}/why`] = {app: LONG, instances: [], stalled: [], death: null, deaths: 0}
    run.apps = [app(LONG, {state: 'exited', exitCode: 1, exit: 'exited with code 1'}), app('shop', {restarts: 27})]
    const {page, troubles} = await open(browser, run.url)
    await page.getByRole('grid', {name: 'Apps'}).waitFor()
    for (const place of ['apps', 'calls', 'calls?as=requests', 'workflows', 'actors', 'actors/Cart', 'jobs']) {
      await page.evaluate(`location.hash = '#/${place}'`)
      await page.getByRole('grid').getByRole('row').nth(1).waitFor()
      for (const width of WIDTHS) {
        await page.setViewportSize({width, height: 800})
        // the height of rows follows a change of the width
        await page.evaluate('new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
        t.same(await wrong(page), [], `${place} at ${width} px`)
      }
    }
    t.same(troubles, [])
  })
)
