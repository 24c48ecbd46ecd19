/** What happens while the page begins to follow the run: it has been answered, and its stream of events does not stand yet. */
import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {call, callDetail, madeUp, type Answers} from './made-up.ts'
import {detail, instance} from './made-up-workflows.ts'

const line = (text: string): string =>
  `${JSON.stringify({time: new Date().toISOString(), app: 'checkout', stream: 'stdout', line: text})}\n`

const [FIRST, SECOND] = [call(1), call(2, {path: '/orders/8'})]
const IN_FLIGHT: Partial<Api.Call> = {isOpen: true, status: 0}

/** What the run answers, before and after something has happened. */
const answers = (isLater: () => boolean): Answers => ({
  'GET /calls': () => ({last: 2, calls: isLater() ? [SECOND, FIRST] : [FIRST]}),
  'GET /calls/1': () => callDetail(isLater() ? {...FIRST, path: '/ended'} : {...FIRST, ...IN_FLIGHT}),
  'GET /logs': (_, query) => (query.has('from') ? '' : line('written 1')) + (isLater() ? line('written 2') : ''),
  'GET /workflows': () => ({workflows: (isLater() ? ['o-2', 'o-1'] : ['o-1']).map(id => instance(id)), next: null}),
  'GET /workflow': () => detail(instance('o-1', isLater() ? {customStatus: 'paid'} : {}))
})

/** Views, the samples that each listens to, and what it shows before and after. */
const VIEWS: readonly (readonly [view: string, samples: string, before: string, after: string])[] = [
  ['apps/checkout', 'calls', '/orders/7', '/orders/8'],
  ['calls', 'calls', '/orders/7', '/orders/8'],
  ['calls/1', 'calls', 'under way', '/ended'],
  ['apps', 'lines', 'written 1', 'written 2'],
  ['logs', 'lines', 'written 1', 'written 2'],
  ['workflows', 'workflow', 'o-1', 'o-2'],
  ['workflows/checkout/o-1', 'workflow', 'o-1', 'paid']
]

t.test('nothing is missed while a view begins to follow the run', async t =>
  withBrowser(t, async browser => {
    for (const [view, samples, before, after] of VIEWS) {
      await t.test(view, async t => {
        const run = await madeUp(t)
        let isLater = false
        Object.assign(
          run.answers,
          answers(() => isLater)
        )
        const {page} = await open(browser, run.url)
        await page.getByRole('grid', {name: 'Apps'}).waitFor()
        await page.goto(`${new URL('/', run.url).href}#/template`)
        await page.getByRole('heading', {name: 'Template'}).first().waitFor()
        const release = Promise.withResolvers<undefined>()
        await page.route(
          ({pathname, searchParams}) =>
            pathname.endsWith('/events') && (searchParams.get('types') ?? '').split(',').includes(samples),
          async route => {
            await release.promise
            await route.continue()
          }
        )
        await page.goto(`${new URL('/', run.url).href}#/${view}`)
        await page.getByText(before).first().waitFor()
        isLater = true
        release.resolve(undefined)
        await page.getByText(after).first().waitFor()
        t.ok(await page.getByText(after).first().isVisible(), after)
      })
    }
  })
)
