/** Views that were opened while the run did not answer. */
import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {call, callDetail, FIRST_VIEW, madeUp, type Answers} from './made-up.ts'

const answers: Answers = {
  ...FIRST_VIEW,
  'GET /calls/7': callDetail(call(7, {path: '/orders/7'})),
  'GET /graph': {apps: ['checkout', 'of-the-graph'], edges: [], uncalled: [], awaited: []},
  'GET /pins': {pins: [], rounds: [], isOn: true},
  'GET /apps/checkout/environment': {folder: '/work/checkout', variables: []},
  'GET /template': {files: [{file: '/work/shop/dapr.yaml', text: 'version: 1\n'}], findings: []}
}

/** Views, and what each shows once the run answers. */
const VIEWS: readonly (readonly [view: string, text: RegExp])[] = [
  ['calls/7', /^GET \/orders\/7$/],
  ['graph', /^of-the-graph$/],
  ['replay', /^No call is pinned/],
  ['apps/checkout', /^\/work\/checkout$/],
  ['template', /^version: 1$/]
]

t.test('a view that was opened while the run did not answer comes once it does', async t =>
  withBrowser(t, async browser => {
    for (const [view, text] of VIEWS)
      await t.test(view, async t => {
        const run = await madeUp(t)
        Object.assign(run.answers, answers)
        const {page} = await open(browser, run.url)
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
        await page.route(/\/api\/v1\//, async route => route.abort())
        run.cut()
        await page.getByText('The run does not answer').first().waitFor()
        const failed = page.waitForEvent('requestfailed', {predicate: asked => !/\/events|\/usage/.test(asked.url())})
        await page.goto(`${new URL('/', run.url).href}#/${view}`)
        await failed
        await page.unrouteAll({behavior: 'wait'}) // a request that is held would have no answer for ever
        await page.getByRole('region', {name: 'Connection'}).waitFor({state: 'detached'})
        const found = page.getByText(text).first()
        await found.waitFor({state: 'attached'})
        t.equal(
          await page.locator('main, [role=alert]').getByText('does not answer').count(),
          0,
          'nothing says that it does not'
        )
      })
  })
)
